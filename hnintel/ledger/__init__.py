"""Facts about work, in ``ops.*``: stages, runs, leases, dead letters, check results, events to announce."""
