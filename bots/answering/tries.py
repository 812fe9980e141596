"""How often a line was begun and not brought to an end, as its inbox row remembers it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: faults in a turn after which its line is taken for the cause
_MOST_FAULTS: Final = 3
#: a process may die of many things before one of its lines is taken for the cause
_MOST_DEATHS: Final = 5
_NOTE: Final = re.compile(r"taken back after (\d+) deaths and (\d+) faults")


@dataclass(frozen=True)
class Tries:
    #: of the process that worked on it
    deaths: int = 0
    #: errors that nobody had foreseen, none of them the store's or the connection's
    faults: int = 0

    @classmethod
    def told(cls, *notes: str) -> Tries:
        """The most that the notes of these rows tell, for there is one answer to all of them."""
        found = [cls(*map(int, told.groups())) for told in map(_NOTE.fullmatch, notes) if told]
        return cls(
            max((tries.deaths for tries in found), default=0),
            max((tries.faults for tries in found), default=0),
        )

    @property
    def note(self) -> str:
        return f"taken back after {self.deaths} deaths and {self.faults} faults"

    @property
    def are_enough(self) -> bool:
        """It is not tried again: who asked is told so."""
        return self.deaths >= _MOST_DEATHS or self.faults >= _MOST_FAULTS

    @property
    def are_too_many(self) -> bool:
        """Even telling it went wrong."""
        return self.deaths > _MOST_DEATHS or self.faults > _MOST_FAULTS

    @property
    def make_suspect(self) -> bool:
        """The next try is the last: alone, for lines that came with it may be the cause."""
        return Tries(self.deaths + 1, self.faults + 1).are_enough
