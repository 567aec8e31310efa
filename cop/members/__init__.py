"""What members see and do behind the links in their emails."""
