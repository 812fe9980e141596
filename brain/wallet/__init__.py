"""What models may cost: prices, budgets, reservations and bills."""
