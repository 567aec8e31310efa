"""The community of an installation: settings, recurrence rule, holidays."""
