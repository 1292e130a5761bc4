"""The cost of AI: prices, usage, budgets, bills."""
