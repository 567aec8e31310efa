"""Which other sites may show the public pages, and the code that they paste."""
