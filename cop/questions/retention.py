"""The longest time that answers are stored after a session; the settings can shorten it."""

from datetime import timedelta

RETENTION = timedelta(days=60)
SHORT_RETENTION = timedelta(days=7)
