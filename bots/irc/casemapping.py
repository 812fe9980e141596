"""When are two names the same? ISUPPORT CASEMAPPING (RFC 1459 section 2.2)."""

from __future__ import annotations

import string

_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_STRICT = _ASCII | str.maketrans("[]\\", "{}|")
_TABLES = {"ascii": _ASCII, "rfc1459-strict": _STRICT, "strict-rfc1459": _STRICT}
_RFC1459 = _STRICT | str.maketrans("^", "~")


def fold(name: str, casemapping: str = "rfc1459") -> str:
    """`name` in the form in which equal names are equal; an unknown mapping counts as rfc1459."""
    return name.translate(_TABLES.get(casemapping.lower(), _RFC1459))
