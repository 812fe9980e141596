"""Workflows at work: driven, shown, started."""
