"""Reading a JSON object field by field: what is wrong is refused by name, pure.

A field that is ``null`` counts as left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from bots.hooks.refusal import Refused

_DIRTY: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Fields:
    """One object. `known` are its fields; `unsupported` others' fields, with why not."""

    def __init__(
        self, raw: Mapping[str, Any], known: Collection[str], unsupported: Mapping[str, str]
    ) -> None:
        self._raw = {name: value for name, value in raw.items() if value is not None}
        for name in raw:
            if name in unsupported:
                raise Refused("unsupported", f"{name!r} is not supported: {unsupported[name]}")
            if name not in known:
                raise Refused("unknown_field", _unknown(name, known))

    def has(self, name: str) -> bool:
        return name in self._raw

    def text(self, name: str, longest: int) -> str:
        """Without the blanks around it; empty when it is left out."""
        value = self._raw.get(name, "")
        if not isinstance(value, str) or len(value) > longest:
            raise bad(name, f"must be a text of at most {longest} characters")
        if not is_clean(value):
            raise bad(name, "has a character that is no text")
        return value.strip()

    def required(self, name: str, longest: int) -> str:
        value = self.text(name, longest)
        if not value:
            raise bad(name, "is missing")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise bad(name, "must be true or false")
        return value

    def number(self, name: str, least: float, most: float) -> float | None:
        value = self._raw.get(name)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # Compared as it is: a whole number of a thousand digits is no float.
        if not is_number or not least <= value <= most:
            raise bad(name, f"must be a number from {least:g} to {most:g}")
        return float(value)

    def choice(self, name: str, options: Collection[str]) -> str | None:
        value = self._raw.get(name)
        if value is not None and (not isinstance(value, str) or value not in options):
            raise bad(name, f"must be one of {', '.join(options)}")
        return value

    def not_both(self, one: str, other: str) -> None:
        if self.has(one) and self.has(other):
            raise bad(other, f"says the same as {one!r}: give one of them")


def bad(name: str, why: str) -> Refused:
    return Refused("bad_field", f"{name!r} {why}")


def is_clean(text: str) -> bool:
    """Whether every database and every terminal can take it: no control characters but blanks and
    line ends, no halves of surrogate pairs.
    """
    return _DIRTY.search(text) is None


def _unknown(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known))}"
    return f"there is no field {name[:60]!r}{hint}"
