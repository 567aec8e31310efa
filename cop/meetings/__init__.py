"""Meetings ("sessions" on pages): the schedule, planning, and how pages and emails show them."""
