"""Reminders before a session, to members and to coordinators."""
