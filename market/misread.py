"""What the market says to a line that is meant for it and cannot be taken as it stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(ValueError):
    """A value that no market line may carry; the message is a sentence for whoever wrote it.

    It never repeats what was written: that may be hostile, and is on their screen anyway.
    """


@dataclass(frozen=True)
class Misread:
    """A line that begins as a market line and is none."""

    #: the line's first word as canonical lines have it: ``NEED``
    word: str
    #: a sentence for whoever wrote it
    why: str
