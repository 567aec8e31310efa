"""The console's settings pages."""
