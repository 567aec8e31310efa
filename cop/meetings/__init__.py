"""Meetings ("sessions" on pages): the schedule, planning, and display."""
