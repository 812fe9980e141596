"""A local server that speaks Discord's REST v10 and gateway v10, in memory, for trying and testing.

It is not Discord: see docs/SANDBOX.md for what was checked against what.
"""
