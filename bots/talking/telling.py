"""A talk in words, for operators. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from storage.delegation_tables import Delegation
from storage.talk_tables import Talk
from storage.talks import LIMIT

_LONGEST: Final = 300
_NUSD: Final = 1_000_000_000


def in_lines(talk: Talk, turns: Sequence[Delegation]) -> Iterator[str]:
    """Who talks with whom and how far it is, then each word and its answer."""
    cost = sum(turn.cost_nusd for turn in turns)
    spent = f", {cost / _NUSD:.4f} USD" if cost else ""
    yield f"{talk.code} {talk.opener} with {talk.peer}, {_state(talk)}{spent}"
    for turn in turns:
        yield f"  {talk.opener}: {_short(turn.instruction)}"
        yield f"  {talk.peer}: {_short(turn.result or f'({turn.state}) {turn.error}')}"


def _state(talk: Talk) -> str:
    if talk.ended_at is None:
        return "open"
    by = "" if talk.ended_by == LIMIT else f" by {talk.ended_by}"
    return f"ended{by}" + (f" ({talk.why})" if talk.why else "")


def _short(words: str) -> str:
    said = " ".join(words.split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
