"""The community's mail: composed, put into its envelope, and handed to whoever takes it."""
