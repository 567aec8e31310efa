"""What the operator runs: backups, upgrades, processes, worker, health checks."""
