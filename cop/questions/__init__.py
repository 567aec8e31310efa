"""The registry of the questions asked and the facts stored about people."""
