"""Makes pools, limits, variables and alerts, changing nothing that is as it should be."""
