"""What is traded, and in which words. Nothing trades yet: docs/MARKET.md says what is there."""
