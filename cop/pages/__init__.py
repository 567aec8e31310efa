"""Public pages that show several capabilities: about, schedule, session, your data."""
