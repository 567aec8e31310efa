"""The outbox: emails are queued in a transaction, and delivered later."""
