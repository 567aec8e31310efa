"""Who is registered for a session: the roster, one person on it, and the CSV export."""
