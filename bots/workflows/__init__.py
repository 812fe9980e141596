"""Workflows at work: driven, shown, started."""

#: the kind of request that a gate is: what follows from it is the driver's business
GATE = "gate"
