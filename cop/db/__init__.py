"""The database: engine, transactions, types, migrations, revision."""
