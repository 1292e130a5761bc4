"""What AI costs: prices, usage, budgets, the bill."""
