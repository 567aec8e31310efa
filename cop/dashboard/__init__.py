"""The console's front page."""
