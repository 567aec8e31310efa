"""The outbox: emails are queued in the transaction that causes them, and delivered later."""
