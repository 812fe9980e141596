"""Prices as people write them and as they are kept: whole micro-credits, exact. Pure.

A dollar and a USDC in a line mean a credit: older bots wrote so.

What is read, by the mark between the digits:

- ``.`` before the last digits is a decimal point, also with three of them: ``1.234`` is one credit
  and 234 thousandths.
- ``,`` before exactly three digits groups thousands, as in English: ``1,234`` is one thousand two
  hundred and thirty-four. Before any other count, or behind a nought, it is a decimal comma:
  ``2,5``, ``0,125``.
- Two different marks: the last one is the decimal sign (``1.234,56``, ``1,234.56``, ``1 234,56``,
  ``1'234.56``). One mark more than once groups thousands (``1.234.567``), in India hundreds of
  thousands too (``12,34,567``).

What is written has two decimals or more, never three and no thousands, so that nobody anywhere
can read another price than was meant.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from market.misread import Refused

#: micro-credits in a credit
CREDIT: Final = 1_000_000
#: a thousand million credits: as micro-credits still exact where numbers are doubles (JavaScript)
MOST_MICROCREDITS: Final = 1_000_000_000 * CREDIT
#: longest text that is looked at
_LONGEST: Final = 40
_DECIMALS: Final = 6
_MINUS: Final = "-\N{MINUS SIGN}\N{EN DASH}("
_ARABIC_DECIMAL: Final = "\N{ARABIC DECIMAL SEPARATOR}"
_ARABIC_THOUSANDS: Final = "\N{ARABIC THOUSANDS SEPARATOR}"
_MARKS: Final = str.maketrans(
    {"\N{RIGHT SINGLE QUOTATION MARK}": "'", _ARABIC_DECIMAL: ".", _ARABIC_THOUSANDS: ","}
)
_UNIT: Final = r"(?:(?:US)?\$|(?:USDC?|credits?|cr)(?![A-Za-z]))"
_FRONT: Final = re.compile(rf"{_UNIT}\s*", re.ASCII | re.IGNORECASE)
_BACK: Final = re.compile(r"\s*(?:\$|USDC?|credits?|cr)", re.ASCII | re.IGNORECASE)
_DIGITS: Final = re.compile(r"[\d.,'_ ]+", re.ASCII)
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"(?P<whole>\d+)",
        r"(?P<whole>\d*)\.(?P<part>\d+)",
        (
            r"(?P<whole>[1-9]\d{0,2}(?P<by>[.,'_ ])\d{3}(?:(?P=by)\d{3})*)"
            r"(?:(?!(?P=by))[.,](?P<part>\d+))?"
        ),
        r"(?P<whole>[1-9]\d?(?:,\d\d)+,\d{3})(?:\.(?P<part>\d+))?",
        r"(?P<whole>\d*),(?P<part>\d+)",
    )
)


def parse(text: str) -> int:
    """Micro-credits in a price such as ``2.50``, ``$0.05 USDC``, ``1.234,56`` or ``5 credits``.

    Raises `Refused` for what is no price in digits, is finer than a micro-credit, is not above
    zero or is above `MOST_MICROCREDITS`.
    """
    number = _number(text)
    if number[:1] and number[0] in _MINUS:
        raise Refused("a price must be above zero")
    found = next(filter(None, (form.fullmatch(number) for form in _FORMS)), None)
    if found is None:
        raise Refused("write the price in digits, in credits, as in 2.50 or $2.50")
    part = (found.groupdict().get("part") or "").rstrip("0")
    if len(part) > _DECIMALS:
        raise Refused("a price has at most six decimals")
    whole = re.sub(r"\D", "", found["whole"]) or "0"
    return checked(int(whole) * CREDIT + int(part.ljust(_DECIMALS, "0")))


def checked(price_microcredits: int) -> int:
    """The price itself; raises `Refused` when it is not above zero or is above the most."""
    if price_microcredits <= 0:
        raise Refused("a price must be above zero")
    if price_microcredits > MOST_MICROCREDITS:
        raise Refused("a price is at most 1000000000 credits")
    return price_microcredits


def written(price_microcredits: int) -> str:
    """As in ``1234.50``: what `parse` reads back as the same sum."""
    whole, part = divmod(price_microcredits, CREDIT)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{digits}0" if len(digits) == 3 else f"{whole}.{digits}"


def _number(text: str) -> str:
    """What stands between the units, a minus in front of them kept; its digits are ASCII."""
    words = " ".join(text.split())
    if len(words) > _LONGEST:
        return ""
    minus = words[:1] if words[:1] in tuple(_MINUS) else ""
    front = _FRONT.match(words, len(minus))
    rest = words[front.end() if front else len(minus) :]
    counted = _ascii(rest).translate(_MARKS)
    digits = _DIGITS.match(counted)
    if minus or digits is None:
        return minus or counted
    number = digits[0].rstrip()
    behind = counted[len(number) :]
    return number if not behind or _BACK.fullmatch(behind) else counted


def _ascii(text: str) -> str:
    """Its decimal digits as 0 to 9; raises `Refused` when those of two scripts are mixed."""
    if text.isascii():
        return text
    digits = [c for c in text if c.isdecimal()]
    if len({ord(c) - unicodedata.decimal(c) for c in digits}) > 1:
        raise Refused("write the price with the digits of one script")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
