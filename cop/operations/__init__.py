"""What the operator runs: backups, schema upgrades, processes, the worker, health checks."""
