"""The kinds of market lines, each a frozen value that holds only what may be written. Pure.

They speak the FIPA Contract Net (SC00029H) and its iterated form (SC00030H) in words for a chat:

========================  ==================================  ==================================
kind                      line                                act in FIPA's library (SC00037J)
========================  ==================================  ==================================
`Need`                    ``NEED: PRODUCT | budget P | by T``  call for proposals
`Have`                    ``HAVE: PRODUCT | P``                propose, unasked
`Offer`                   ``OFFER <need>: P | eta T``          propose
`Counter`                 ``COUNTER <offer>: P | eta T``       call for proposals, revised; propose
`Take`                    ``TAKE <offer or have>``             accept-proposal
`Decline`                 ``DECLINE <offer> | why``            reject-proposal
`Pass`                    ``PASS <need or have> | why``        refuse
`Cancel`                  ``CANCEL <any id> | why``            cancel; withdraws one's own line
`Deal`                    ``DEAL: BUYER <-> SELLER | … | P``   the terms, for everybody to see
`Done`                    ``DONE <deal>``                      inform-done
`Failed`                  ``FAILED <deal> | why``              failure
`Paid`                    ``PAID <deal>``                      the money has moved
`NotUnderstood`           ``NOT-UNDERSTOOD: why``              not-understood
========================  ==================================  ==================================

A line may say its own id (``| id N-7k2m9qxa``), which is what answers to it name, and NEED, HAVE
and offers end with a note if there is one. Whoever builds a value from loose spelling gets the
canonical one; what may not be written raises `market.misread.Refused`. Nothing in a line proves
who wrote it, nor that an id in it is real.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from market import nick, price, product, reference, wait
from market.fields import field_of
from market.misread import Refused
from market.reference import Noun

_OFFERED = (Noun.OFFER, Noun.HAVE)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What every kind has: a first word, and a canonical form as its `str`."""

    WORD: ClassVar[str]
    #: the fields that this kind has a word for
    FIELDS: ClassVar[frozenset[str]] = frozenset()

    def _spell(self, name: str, value: str | None) -> None:
        """Put a field in its one spelling while the value is built."""
        object.__setattr__(self, name, value)

    def _refer(self, name: str, nouns: Collection[Noun]) -> None:
        value: str | None = getattr(self, name)
        self._spell(name, None if value is None else reference.parse(value, nouns))

    def _annotate(self, name: str) -> None:
        """Free words; they may not read as one of the kind's fields."""
        words = product.note(getattr(self, name))
        if field_of(words, self.FIELDS):
            raise Refused(f"a note does not begin with {' or '.join(sorted(self.FIELDS))}")
        self._spell(name, words)

    def _written(self, *parts: str | None) -> str:
        return " | ".join(part for part in parts if part)


def _timed(word: str, wait_s: int | None) -> str | None:
    return None if wait_s is None else f"{word} {wait.written(wait_s)}"


def _identified(line_id: str | None) -> str | None:
    return line_id and f"id {line_id}"


@dataclass(frozen=True, kw_only=True)
class Need(Line):
    """Somebody wants a product and says what they would pay at most."""

    WORD = "NEED"
    FIELDS = frozenset({"budget", "price", "by", "id"})
    product: str
    budget_microcredits: int
    #: seconds from now until offers are looked at; None: the market's usual
    by_s: int | None = None
    id: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self._spell("product", product.normal(self.product))
        price.checked(self.budget_microcredits)
        if self.by_s is not None:
            wait.checked(self.by_s, least_s=1)
        self._refer("id", (Noun.NEED,))
        self._annotate("note")

    def __str__(self) -> str:
        return self._written(
            f"NEED: {self.product}",
            f"budget {price.written(self.budget_microcredits)}",
            _timed("by", self.by_s),
            _identified(self.id),
            self.note,
        )


@dataclass(frozen=True, kw_only=True)
class Have(Line):
    """Somebody sells a product at a price."""

    WORD = "HAVE"
    FIELDS = frozenset({"price", "id"})
    product: str
    price_microcredits: int
    id: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self._spell("product", product.normal(self.product))
        price.checked(self.price_microcredits)
        self._refer("id", (Noun.HAVE,))
        self._annotate("note")

    def __str__(self) -> str:
        asked = price.written(self.price_microcredits)
        return self._written(f"HAVE: {self.product}", asked, _identified(self.id), self.note)


@dataclass(frozen=True, kw_only=True)
class Offer(Line):
    """A price for somebody's need."""

    WORD = "OFFER"
    FIELDS = frozenset({"price", "eta", "id"})
    need: str
    price_microcredits: int
    #: seconds from the award until it is delivered; 0: it lies ready; None: not said
    eta_s: int | None = None
    id: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self._refer("need", (Noun.NEED,))
        _check_offer(self)
        self._refer("id", (Noun.OFFER,))
        self._annotate("note")

    def __str__(self) -> str:
        return self._written(f"OFFER {self.need}: {_terms(self)}", _identified(self.id), self.note)


@dataclass(frozen=True, kw_only=True)
class Counter(Line):
    """Other terms for an offer or a HAVE, by either side."""

    WORD = "COUNTER"
    FIELDS = Offer.FIELDS
    offer: str
    price_microcredits: int
    eta_s: int | None = None
    id: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self._refer("offer", _OFFERED)
        _check_offer(self)
        self._refer("id", (Noun.OFFER,))
        self._annotate("note")

    def __str__(self) -> str:
        return self._written(
            f"COUNTER {self.offer}: {_terms(self)}", _identified(self.id), self.note
        )


def _check_offer(line: Offer | Counter) -> None:
    price.checked(line.price_microcredits)
    if line.eta_s is not None:
        wait.checked(line.eta_s, least_s=0)


def _terms(line: Offer | Counter) -> str:
    eta = _timed("eta", line.eta_s)
    return price.written(line.price_microcredits) + (f" | {eta}" if eta else "")


@dataclass(frozen=True, kw_only=True)
class Deal(Line):
    """What two have agreed on."""

    WORD = "DEAL"
    FIELDS = frozenset({"price", "id"})
    buyer: str
    seller: str
    product: str
    price_microcredits: int
    id: str | None = None

    def __post_init__(self) -> None:
        self._spell("buyer", nick.normal(self.buyer))
        self._spell("seller", nick.normal(self.seller))
        if self.buyer.casefold() == self.seller.casefold():
            raise Refused("nobody deals with themselves")
        self._spell("product", product.normal(self.product))
        price.checked(self.price_microcredits)
        self._refer("id", (Noun.DEAL,))

    def __str__(self) -> str:
        return self._written(
            f"DEAL: {self.buyer} <-> {self.seller}",
            self.product,
            price.written(self.price_microcredits),
            _identified(self.id),
        )


@dataclass(frozen=True, kw_only=True)
class Act(Line):
    """A word about something that has an id, with a reason where one helps."""

    NOUNS: ClassVar[tuple[Noun, ...]]
    #: what it is about
    about: str
    reason: str = ""

    def __post_init__(self) -> None:
        self._refer("about", self.NOUNS)
        self._annotate("reason")

    def __str__(self) -> str:
        return self._written(f"{self.WORD} {self.about}", self.reason)


class Take(Act):
    """Yes to an offer, a counter-offer or a HAVE."""

    WORD = "TAKE"
    NOUNS = _OFFERED


class Decline(Act):
    """No to an offer."""

    WORD = "DECLINE"
    NOUNS = (Noun.OFFER,)


class Pass(Act):
    """No offer will come for this need, no interest in this HAVE."""

    WORD = "PASS"
    NOUNS = (Noun.NEED, Noun.HAVE)


class Cancel(Act):
    """One's own need, HAVE, offer or deal is called off."""

    WORD = "CANCEL"
    NOUNS = tuple(Noun)


class Done(Act):
    """The seller says that the product lies ready."""

    WORD = "DONE"
    NOUNS = (Noun.DEAL,)


class Failed(Act):
    """The seller says that nothing will come."""

    WORD = "FAILED"
    NOUNS = (Noun.DEAL,)


class Paid(Act):
    """The held credits have gone to the seller."""

    WORD = "PAID"
    NOUNS = (Noun.DEAL,)


@dataclass(frozen=True, kw_only=True)
class NotUnderstood(Line):
    """The answer to a line that was meant for the market; itself it is never answered."""

    WORD = "NOT-UNDERSTOOD"
    why: str

    def __post_init__(self) -> None:
        self._annotate("why")
        if not self.why:
            raise Refused("say why")

    def __str__(self) -> str:
        return f"NOT-UNDERSTOOD: {self.why}"
