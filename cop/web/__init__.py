"""The HTTP frame: rendering, forms, security, errors and the page cache."""
