"""A small language model on this machine, served to the agents in a process of its own."""
