"""Counts per session and year, with small counts suppressed."""
