"""Small groups of a session."""
