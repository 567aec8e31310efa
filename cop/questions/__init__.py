"""The registry of all questions that a person is asked, and of all facts stored about them."""
