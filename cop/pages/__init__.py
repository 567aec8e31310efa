"""Public pages: about, schedule, session, your data."""
