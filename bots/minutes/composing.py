"""Minutes as a plain list, out of what the record has. Pure.

They are status text: none of their lines addresses anybody, whatever it quotes or a model wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bots.herald.lines import BULLET, MOST, entry_line, joined, quoted
from bots.minutes.schedule import Called, Kind
from bots.project.telling import standing
from storage.delegation_tables import DelegationState
from storage.happenings import Day
from storage.project_log import Standing
from storage.project_tables import EntryKind, ProjectEntry
from storage.request import Request
from storage.tables import Agent, AgentState

_TITLES: Final = 2
_TITLE_CHARACTERS: Final = 60
_HEADS: Final = {Kind.STANDUP: "Stand-up", Kind.NOTES: "Notes"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the record has of a stretch of time."""

    days: Mapping[str, Day]
    #: agent → state → how many delegations ended so; `entries` has only the newest of them
    results: Mapping[str, Mapping[str, int]]
    roster: Sequence[Agent]
    standing: Standing | None
    #: lines of the project log, and whether everybody may read them
    entries: Sequence[tuple[ProjectEntry, bool]]
    #: questions that wait for people
    waiting: Sequence[Request]


def head(called: Called) -> str:
    """``Stand-up of 2026-11-20, since 2026-11-19 09:00 UTC``."""
    return (
        f"{_HEADS[called.kind]} of {called.end:%Y-%m-%d}, since {called.begin:%Y-%m-%d %H:%M} UTC"
    )


def plain(called: Called, facts: Facts) -> str:
    """All of it as a list."""
    lines = list(_standup(facts) if called.kind is Kind.STANDUP else _notes(facts))
    return f"{head(called)}\n{joined(lines, MOST - 1)}"


def in_words(called: Called, text: str) -> str:
    """What a model wrote about it, made fit for a channel; empty where it wrote nothing."""
    lines = [line.lstrip(f" \t-*#{BULLET}").rstrip() for line in text.splitlines()]
    said = [line for line in lines if line]
    return f"{head(called)}\n{joined(said, MOST - 1)}" if said else ""


def _standup(facts: Facts) -> Iterator[str]:
    idle: list[str] = []
    for agent in facts.roster:
        told = ", ".join(_day(facts, agent))
        if told:
            yield f"{agent.name}: {told}"
        else:
            idle.append(agent.name)
    if idle:
        yield f"nothing to tell: {', '.join(idle)}"
    if facts.standing is not None:
        yield standing(facts.standing)
    yield from _written(facts, EntryKind.DECISION)
    yield from _waiting(facts)


def _notes(facts: Facts) -> Iterator[str]:
    if facts.standing is not None:
        yield standing(facts.standing)
    yield from _written(facts, EntryKind.STATUS, EntryKind.DECISION, EntryKind.NOTE)
    yield from _written(facts, EntryKind.RESULT)
    yield from _waiting(facts)


def _day(facts: Facts, agent: Agent) -> Iterator[str]:
    day = facts.days.get(agent.name, Day())
    counts = (
        (day.answered, "answered"),
        (day.open, "open"),
        (day.refused, "refused"),
        (day.unknown, "answered without proof that it arrived"),
    )
    yield from (f"{number} {what}" for number, what in counts if number)
    ended = facts.results.get(agent.name, {})
    for state in DelegationState:
        if number := ended.get(state, 0):
            titles = [
                quoted(entry.title, _TITLE_CHARACTERS)
                for entry, is_open in facts.entries
                if entry.kind == EntryKind.RESULT and entry.agent == agent.name
                if entry.state == state and is_open
            ]
            named = f" ({', '.join(titles[-_TITLES:])})" if titles else ""
            yield f"{number} handed over and {state}{named}"
    if agent.state != AgentState.READY:
        yield f"trouble: {agent.state}" + (f", {agent.reason}" if agent.reason else "")


def _written(facts: Facts, *kinds: EntryKind) -> Iterator[str]:
    for entry, is_open in facts.entries:
        if entry.kind in kinds:
            yield entry_line(entry, is_quoted=is_open)


def _waiting(facts: Facts) -> Iterator[str]:
    """Codes and kinds alone: what is asked is for those who decide."""
    if facts.waiting:
        told = ", ".join(f"{one.code} ({one.kind})" for one in facts.waiting)
        yield f"waits for people: {told}"
