"""How long answers are stored after a session, unless settings shorten it."""

from datetime import timedelta

RETENTION = timedelta(days=60)
SHORT_RETENTION = timedelta(days=7)
