"""The one community that an installation serves: its settings, recurrence rule and holidays."""
