"""Who is registered for a session: the roster, one person, the CSV export."""
