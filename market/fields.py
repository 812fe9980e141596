"""A line's fields: what stands between its bars. Pure."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from market.misread import Refused
from market.product import unbold

_NAMED: Final = re.compile(
    r"(budget|price|by|eta|id)(?!\w)\s*[:=]?\s*(.*)", re.IGNORECASE | re.DOTALL
)
#: a nick may hold a bar: those with blanks on both sides part first, then those with one
_BARS: Final = tuple(map(re.compile, (r"\s\|(?=\s|$)", r"\s\||\|(?=\s|$)")))


def split(body: str) -> list[str]:
    """The fields, bare; empty ones at the end are dropped."""
    return _bare(body.split("|"))


def split_around_nicks(body: str, least: int) -> list[str]:
    """As `split`, but a bar inside a word parts only where the others make no `least` fields."""
    for bars in _BARS:
        fields = bars.split(body)
        if len(fields) >= least:
            return _bare(fields)
    return split(body)


def field_of(text: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """(word, value) of a field such as ``by: 60s``, None when it begins with none of `words`.

    A budget is a price.
    """
    found = _NAMED.match(text)
    if found is None or found[1].lower() not in words:
        return None
    word = found[1].lower()
    return "price" if word == "budget" else word, found[2]


@dataclass
class Fields:
    """Fields by their words, and those that have none, in order."""

    named: dict[str, str]
    free: list[str]

    @classmethod
    def of(cls, texts: list[str], words: AbstractSet[str]) -> Fields:
        """Raises `Refused` for a word said twice."""
        fields = cls({}, [])
        for text in texts:
            found = field_of(text, words)
            if found is None and text:
                fields.free.append(text)
            elif found and found[0] in fields.named:
                raise Refused(f"{found[0]} is said twice")
            elif found:
                fields.named[found[0]] = found[1]
        return fields

    def price(self) -> str:
        """The text of the price: under its word, or else the first field without one."""
        if "price" in self.named:
            return self.named["price"]
        return self.free.pop(0) if self.free else ""

    def note(self) -> str:
        """What is left, once all else is taken; raises `Refused` when it is more than one field."""
        if len(self.free) > 1:
            raise Refused("there are more fields than this line has")
        return self.free[0] if self.free else ""


def _bare(fields: list[str]) -> list[str]:
    bare = [unbold(field.strip()).strip() for field in fields]
    while len(bare) > 1 and not bare[-1]:
        bare.pop()
    return bare
