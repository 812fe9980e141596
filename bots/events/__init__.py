"""Events on their way to people and agents: who wants what, when, and how often."""
