"""Which other sites may embed the public pages, and the code that they paste."""
