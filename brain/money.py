"""Sums of money as people write them and as they are kept: integers, in millionths of a currency's
unit. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: a million millionths
UNIT: Final = 1_000_000
#: longest text that is looked at; the largest sum is just below a trillion
_LONGEST: Final = 40
_SYMBOLS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_WORDS: Final = {"DOLLAR": "USD", "DOLLARS": "USD", "EURO": "EUR", "EUROS": "EUR"}
#: so many digits behind a point may as well be thousands
_THOUSAND: Final = 3
_AMBIGUOUS: Final = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_NUMBER: Final = r"(?P<units>\d{1,3}(?:,\d{3}){1,3}|\d{1,12})(?:\.(?P<part>\d{1,6}))?"
_BEFORE: Final = re.compile(rf"(?P<currency>[$€£¥]|[A-Z]{{3,4}})? ?{_NUMBER}", re.ASCII)
_BEHIND: Final = re.compile(rf"{_NUMBER} ?(?P<currency>[$€£¥]|[A-Z]{{3,7}})", re.ASCII)


class NoMoney(ValueError):
    """The text is no sum of money; the message says what to write."""


@dataclass(frozen=True)
class Money:
    micros: int
    #: as ISO 4217 has it, or the name of a coin of four letters: ``EUR``, ``USDC``
    currency: str

    def __str__(self) -> str:
        return f"{amount(self.micros)} {self.currency}"


def parse(text: str, currency: str = "") -> Money:
    """``12.50 EUR``, ``$1,200``, ``usd 3``; `currency` is meant where the text names none.

    Raises `NoMoney`: also for ``1,5`` and ``1.200``, which half of the world reads otherwise.
    """
    words = " ".join(text.split()).upper()
    found = None
    if len(words) <= _LONGEST:
        found = _BEFORE.fullmatch(words) or _BEHIND.fullmatch(words)
    if found is None:
        raise NoMoney("write a sum as in 12.50 EUR, $1,200 or 0")
    named = found["currency"] or ""
    named = _SYMBOLS.get(named) or _WORDS.get(named) or named or currency
    if not 3 <= len(named) <= 4:
        raise NoMoney("say which currency, as in 12.50 EUR or $1,200")
    if len(found["part"] or "") == _THOUSAND and _AMBIGUOUS.fullmatch(found["units"]):
        raise NoMoney("write 1,200 for a thousand and two hundred, 1.20 for one and a fifth")
    units = int(found["units"].replace(",", ""))
    part = int((found["part"] or "").ljust(6, "0"))
    return Money(units * UNIT + part, named)


def amount(micros: int) -> str:
    """As in ``1,234.50``: to the cent, and to where the digits end below that."""
    sign = "-" if micros < 0 else ""
    units, part = divmod(abs(micros), UNIT)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    if len(digits) == _THOUSAND:
        # Three would be taken for thousands.
        digits += "0"
    return f"{sign}{units:,}.{digits}"
