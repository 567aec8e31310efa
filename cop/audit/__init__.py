"""The audit log of what coordinators did and viewed, withdrawals, and the check of the clock."""
