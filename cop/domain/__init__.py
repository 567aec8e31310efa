"""What the community does: plain functions over a database session, without Flask."""
