"""What all emails have in common: composing, headers, transports.

It does not know meetings.
"""
