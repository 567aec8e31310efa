"""A session after it was planned: moving, canceling, restoring, texts and takeaways."""
