"""How the project stands and its log: who may change it, and how people are shown it."""
