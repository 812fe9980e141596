"""What is traded: lines, negotiation, ledger, escrow. Nothing yet; it comes with the market's own
issue.
"""
