"""What all views have in common: rendering, forms, security, errors and the page cache."""
