"""Registering for sessions: the form, its rules, its emails and the waiting list."""
