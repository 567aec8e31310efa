"""The audit log of coordinators, withdrawals, and the check of the clock."""
