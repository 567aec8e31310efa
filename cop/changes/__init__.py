"""Changes to planned sessions: edit, move, cancel, restore, publish takeaways."""
