"""The audit log of coordinators' actions and viewings, withdrawals, and the check of the clock."""
