"""The ledger, in ``ops.*``: stages, runs, leases, dead letters, check results, events to publish."""
