"""Calendar feeds, files and links (RFC 5545)."""
