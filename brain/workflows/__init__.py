"""Workflows: what their files say, and the rules by which a run goes on. Nothing here does I/O."""
