"""Messages that coordinators write to the people of a session."""
