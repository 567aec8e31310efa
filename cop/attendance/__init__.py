"""Attendance: marks by hand, and Zoom's participants reports."""
