"""Private talk of two agents: threads of several turns, bounded, and open to operators."""
