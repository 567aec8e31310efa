"""How long answers are stored after a session; the settings can make it shorter."""

from datetime import timedelta

RETENTION = timedelta(days=60)
SHORT_RETENTION = timedelta(days=7)
