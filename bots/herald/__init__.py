"""What the captain tells unasked: of agents, of talk between them, and of each day."""
