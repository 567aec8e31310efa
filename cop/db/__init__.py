"""The database: engine, transactions, column types, migrations and the revision of cached pages."""
