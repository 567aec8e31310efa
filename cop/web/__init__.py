"""What all views have in common: rendering, forms, security, errors, cache."""
