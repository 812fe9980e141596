"""Market lines out of what people and bots type. Pure.

Read: any case, spare blanks, ``**bold**`` in front, ``WANT`` for NEED, ``ACCEPT`` for TAKE,
``REJECT`` for DECLINE, ``REFUSE`` for PASS, ``FAIL`` for FAILED, ``Budget: $0.05 USDC``, a price
without its word, fields in any order, ``a <-> b`` and ``a ↔ b``. `market.price` says how numbers
are read, `market.kinds` what each line means.

A line is one only from its first word on: a quoted one is talk. NEED, HAVE, DEAL and OFFER want
their colon; NEED, HAVE and DEAL a bar too, for "need: help with my sound" is nobody's order; the
others want an id. What comes so far and then cannot be taken is a `Misread`, but only if it was
clearly meant: its first word in capitals, a digit in it, or a field that begins with its word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from market import kinds, price, reference, wait
from market.fields import Fields, split, split_around_nicks
from market.kinds import Line
from market.misread import Misread, Refused
from market.product import unbold

#: longest text that is looked at: what Discord takes in one message; what is longer is talk
LONGEST: Final = 2000
_OTHER_WORDS: Final = {
    "WANT": "NEED",
    "ACCEPT": "TAKE",
    "REJECT": "DECLINE",
    "REFUSE": "PASS",
    "FAIL": "FAILED",
    "NOT UNDERSTOOD": "NOT-UNDERSTOOD",
}
_ACTS: Final[dict[str, type[kinds.Act]]] = {
    act.WORD: act
    for act in (
        kinds.Take,
        kinds.Decline,
        kinds.Pass,
        kinds.Cancel,
        kinds.Done,
        kinds.Failed,
        kinds.Paid,
    )
}
_FIRST: Final = re.compile(
    # ASCII letters only: without it a long s would do for an S
    r"\s*(?:\*\*\s*)?((?a:NEED|WANT|HAVE|OFFER|COUNTER|TAKE|ACCEPT|DECLINE|REJECT|PASS|REFUSE"
    r"|CANCEL|DEAL|DONE|FAIL(?:ED)?|PAID|NOT[- ]UNDERSTOOD))(?![\w-])",
    re.IGNORECASE,
)
_ID_AND_REST: Final = re.compile(r"\s*:?\s*([^\s:|]*)\s*(.*)", re.DOTALL)
_ARROW: Final = re.compile(r"\s*(?:<[-=]*>|[↔⇔⇄⟷]\ufe0f?)\s*")
_MEANT: Final = re.compile(r"\d|\|\s*\**(?:budget|price|by|eta|id)\b", re.ASCII | re.IGNORECASE)


def parse(text: str) -> Line | Misread | None:
    """The market line that `text` is; a `Misread` when it tries to be one; None for all else."""
    if len(text) > LONGEST or _FIRST.match(text) is None:
        return None
    plain = unbold(text.strip())
    first = _FIRST.match(plain)
    if first is None:
        return None
    shown = first[1].upper()
    word, rest = _OTHER_WORDS.get(shown, shown), plain[first.end() :]
    try:
        line = _READERS[word](word, rest)
    except Refused as refused:
        meant = word != "NOT-UNDERSTOOD" and (first[1] == shown or _MEANT.search(rest))
        return Misread(word, str(refused)) if meant else None
    if line is not None and len(plain.splitlines()) > 1:
        return Misread(word, "a market line is one line")
    return line


def _body(rest: str) -> str | None:
    """What follows the colon of a line with bars, None when it is talk."""
    after = rest.lstrip()
    return after[1:] if after.startswith(":") and "|" in after else None


def _need(_: str, rest: str) -> Line | None:
    body = _body(rest)
    if body is None:
        return None
    product, *others = split(body)
    fields = Fields.of(others, kinds.Need.FIELDS)
    return kinds.Need(
        product=product,
        budget_microcredits=_price(fields, "budget 5.00"),
        by_s=_time(fields, "by"),
        id=fields.named.get("id"),
        note=fields.note(),
    )


def _have(_: str, rest: str) -> Line | None:
    body = _body(rest)
    if body is None:
        return None
    product, *others = split(body)
    fields = Fields.of(others, kinds.Have.FIELDS)
    return kinds.Have(
        product=product,
        price_microcredits=_price(fields, "2.50"),
        id=fields.named.get("id"),
        note=fields.note(),
    )


def _deal(_: str, rest: str) -> Line | None:
    body = _body(rest)
    if body is None:
        return None
    who, product, *others = (*split_around_nicks(body, least=3), "")
    nicks = _ARROW.split(who)
    if len(nicks) != 2:
        raise Refused("write who deals as in buyer <-> seller")
    fields = Fields.of(others, kinds.Deal.FIELDS)
    asked = _price(fields, "2.50")
    if fields.free:
        raise Refused("there are more fields than this line has")
    return kinds.Deal(
        buyer=nicks[0],
        seller=nicks[1],
        product=product,
        price_microcredits=asked,
        id=fields.named.get("id"),
    )


def _offer(word: str, rest: str) -> Line | None:
    about, terms = _id_and_rest(rest)
    if not reference.tried(about):
        if _is_price(split(rest.partition(":")[2])[0]):
            raise Refused(f"say the id of what it is for, as in {word} <id>: 4.00")
        return None
    fields = Fields.of(split(terms.removeprefix(":")), kinds.Offer.FIELDS)
    asked, eta_s = _price(fields, "4.00"), _time(fields, "eta")
    own, note = fields.named.get("id"), fields.note()
    if word == "OFFER":
        return kinds.Offer(need=about, price_microcredits=asked, eta_s=eta_s, id=own, note=note)
    return kinds.Counter(offer=about, price_microcredits=asked, eta_s=eta_s, id=own, note=note)


def _act(word: str, rest: str) -> Line | None:
    about, others = _id_and_rest(rest)
    if not reference.tried(about):
        return None
    reason = others.lstrip(": ")
    if reason and not reason.startswith("|"):
        raise Refused("after the id comes nothing, or | and a reason")
    return _ACTS[word](about=about.rstrip(".!,;"), reason=reason[1:])


def _not_understood(_: str, rest: str) -> Line | None:
    after = rest.lstrip()
    return kinds.NotUnderstood(why=after[1:]) if after.startswith(":") else None


def _id_and_rest(rest: str) -> tuple[str, str]:
    found = _ID_AND_REST.match(rest)
    return (unbold(found[1]), found[2]) if found else ("", rest)


def _price(fields: Fields, example: str) -> int:
    text = fields.price()
    if not text:
        raise Refused(f"say the price, as in | {example}")
    return price.parse(text)


def _is_price(text: str) -> bool:
    try:
        return price.parse(text) > 0
    except Refused:
        return False


def _time(fields: Fields, word: str) -> int | None:
    text = fields.named.get(word)
    return None if text is None else wait.parse(text)


_READERS: Final[dict[str, Callable[[str, str], Line | None]]] = {
    "NEED": _need,
    "HAVE": _have,
    "OFFER": _offer,
    "COUNTER": _offer,
    "DEAL": _deal,
    "NOT-UNDERSTOOD": _not_understood,
    **dict.fromkeys(_ACTS, _act),
}
