"""Short ids of what is traded: ``N-7k2m9qxa``. Pure.

The letter says what is meant, so that nobody takes a need for an offer by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from market.misread import Refused

#: letters and digits that nobody takes for another (no 0, 1, i, l, o)
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
LENGTH: Final = 8


class Noun(StrEnum):
    """What an id names; the value is the id's first letter."""

    NEED = "N"
    HAVE = "H"
    #: a counter-offer is an offer too
    OFFER = "O"
    #: an exchange; D is a delegation's
    DEAL = "X"

    @property
    def named(self) -> str:
        return f"{'an' if self is Noun.OFFER else 'a'} {self.name.lower()}"


_ID: Final = re.compile(
    rf"([{''.join(Noun)}])-([{ALPHABET}]{{{LENGTH}}})", re.IGNORECASE | re.ASCII
)
_TRIED: Final = re.compile(rf"[{''.join(Noun)}]-", re.IGNORECASE | re.ASCII)


def parse(text: str, nouns: Collection[Noun]) -> str:
    """The id in its one spelling; raises `Refused` when it is none, or names none of `nouns`."""
    found = _ID.fullmatch(text)
    if found is None:
        wanted = " or ".join(f"{noun}-" for noun in nouns)
        raise Refused(f"an id is {wanted} and {LENGTH} small letters or digits")
    if found[1].upper() not in nouns:
        names = " or ".join(f"{noun.named} ({noun}-…)" for noun in nouns)
        raise Refused(f"the id of {names} belongs here")
    return f"{found[1].upper()}-{found[2].lower()}"


def tried(text: str) -> bool:
    """Whether the text begins as an id does, be it one or not."""
    return _TRIED.match(text) is not None
