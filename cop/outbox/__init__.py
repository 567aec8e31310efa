"""The outbox: emails are queued in the transaction that they tell of, and delivered later."""
