"""What decides: models, the agent loop, tools, the guard."""
