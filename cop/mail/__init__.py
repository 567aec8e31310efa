"""Emails in general: composing, headers, transports. Knows nothing of sessions."""
