"""Creates pools, limits, variables and alerts, and leaves unchanged what is right already."""
