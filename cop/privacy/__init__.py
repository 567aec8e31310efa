"""Erasing a member, and deleting what is past its retention period."""
