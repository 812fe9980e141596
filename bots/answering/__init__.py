"""From an inbox row to an answer that is proved: worklist, loop guard, brain, mouth."""
