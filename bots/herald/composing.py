"""The words of posts. Pure: what happened in, text and the next mark out.

A post is status text: none of its lines addresses anybody, whatever it quotes, and none is so long
that a network would cut it in two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage.happenings import Day, Exchange, Refusal, Steered, Warned
from storage.project_tables import EntryKind, ProjectEntry
from storage.tables import Agent, AgentState

#: no line of a post begins with a name, and none of its parts can come to stand at a beginning
_BULLET: Final = "\N{BULLET} "
_LINE_BYTES: Final = 300
_LINES: Final = 12
_QUOTE_CHARACTERS: Final = 180
_TITLE_CHARACTERS: Final = 80
_UNQUOTED: Final = "not quoted, for not everybody may read there"
#: what is told by the kill itself, or only leads to what is told next
_UNTOLD: Final = frozenset({AgentState.KILLED, AgentState.STARTING, AgentState.STOPPED})

#: agent → state, reason and epoch, as last told
Known = dict[str, list[str | int]]


@dataclass(frozen=True)
class Post:
    """What to say; empty when there is nothing."""

    text: str
    #: does not wait for its turn
    urgent: bool = False


def known_of(roster: Iterable[Agent], before: Known | None) -> Known:
    """What a post about this roster tells; agents on their way keep what was told of them last."""
    known: Known = dict(before or {})
    for agent in roster:
        if agent.state not in _UNTOLD:
            known[agent.name] = [agent.state, agent.reason, agent.epoch]
    return known


def logs(
    before: Known,
    now: Known,
    steered: Sequence[Steered],
    refusals: Sequence[Refusal],
    warned: Sequence[Warned] = (),
    *,
    entries: Sequence[tuple[ProjectEntry, bool]] = (),
) -> Post:
    """Kills and resumes, warnings, new states, refused acts, and lines of the project log with
    whether they may be quoted.
    """
    lines = [
        *map(_steered, steered),
        *(f"{one.at:%H:%M} UTC {one.agent}: {one.sentence}" for one in warned),
        *_changes(before, now),
        # That a killed agent may do nothing was told with the kill.
        *_refused([r for r in refusals if r.policy != "latch"]),
        *(_logged(entry, is_quoted=is_quoted) for entry, is_quoted in entries),
    ]
    return Post(_joined(lines), urgent=any(s.verb == "kill" for s in steered))


def between_agents(
    exchanges: Sequence[Exchange], may_be_quoted: Callable[[Exchange], bool]
) -> Post:
    """What agents said to each other, with place and trace, and quoted where it may be."""
    return Post(_joined(_exchange(e, is_quoted=may_be_quoted(e)) for e in exchanges))


def standup(
    day: datetime, since: datetime, days: Mapping[str, Day], roster: Sequence[Agent]
) -> Post:
    """Each agent's day; those with nothing to tell in one line."""
    busy: list[str] = []
    idle: list[str] = []
    for agent in roster:
        told = _day(days.get(agent.name, Day()), agent)
        if told:
            busy.append(f"{agent.name}: {told}")
        else:
            idle.append(agent.name)
    if idle:
        busy.append(f"nothing to tell: {', '.join(idle)}")
    head = f"Stand-up of {day:%Y-%m-%d}, since {since:%Y-%m-%d %H:%M} UTC"
    return Post("\n".join([head, *map(_line, busy)]))


def spent(head: str, lines: Sequence[str]) -> Post:
    """A month's expenses."""
    return Post(f"{head}\n{_joined(lines)}")


def _day(day: Day, agent: Agent) -> str:
    counts = (
        (day.answered, "answered"),
        (day.open, "open"),
        (day.refused, "refused"),
        (day.unknown, "answered without proof that it arrived"),
    )
    told = [f"{number} {what}" for number, what in counts if number]
    if agent.state != AgentState.READY:
        told.append(f"trouble: {agent.state}" + (f", {agent.reason}" if agent.reason else ""))
    return ", ".join(told)


def _steered(one: Steered) -> str:
    who = "everybody" if one.scope == "all" else one.scope
    did = "killed" if one.verb == "kill" else "resumed"
    why = f": {one.reason}" if one.reason else ""
    return f"{one.at:%H:%M} UTC {who} {did} by {one.by} ({one.door}){why}"


def _changes(before: Known, now: Known) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for name, (state, reason, epoch) in now.items():
        old = before.get(name)
        if old == [state, reason, epoch]:
            continue
        is_new = old is not None and old[2] != epoch
        what = f"{state}{', in a new process' if is_new else ''}"
        groups.setdefault(f"{what} ({reason})" if reason else what, []).append(name)
    for what, names in groups.items():
        yield f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {what}"


def _refused(refusals: Sequence[Refusal]) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[Refusal]] = {}
    for one in refusals:
        groups.setdefault((one.agent, one.verb, one.target, one.reason), []).append(one)
    for (agent, verb, target, reason), same in groups.items():
        times = f", {len(same)} times" if len(same) > 1 else ""
        yield f"{same[-1].at:%H:%M} UTC {agent} may not {verb} {target}{times}: {reason}"


def _logged(one: ProjectEntry, *, is_quoted: bool) -> str:
    told = f"{one.at:%H:%M} UTC {one.agent}"
    match one.kind:
        case EntryKind.RESULT:
            code = one.ref.removeprefix("delegation:")
            told = f"{told}: {code} for {one.by.removeprefix('agent:')} is {one.state}"
            words = f"{_quoted(one.title, _TITLE_CHARACTERS)}, {_quoted(one.text)}"
        case EntryKind.STATUS:
            told, words = f"{told}: the project is {one.state} from now on", _quoted(one.text)
        case EntryKind.DECISION:
            told, words = f"{told} wrote down a decision", _quoted(one.text)
        case _:
            told, words = f"{told} wrote down a note", _quoted(one.text)
    return f"{told}: {words if is_quoted else _UNQUOTED}"


def _exchange(one: Exchange, *, is_quoted: bool) -> str:
    private = one.channel.startswith("nick:")
    place = f"{'in private' if private else f'in {one.channel}'} on {one.network}"
    if one.talk:
        place = f"in talk {one.talk}"
    did = "answered" if one.is_answer else "to"
    told = f"{one.at:%H:%M} UTC {one.speaker} {did} {one.listener} {place}, trace {one.trace_id}"
    return f"{told}: {_quoted(one.text) if is_quoted else _UNQUOTED}"


def _quoted(text: str, most: int = _QUOTE_CHARACTERS) -> str:
    quote = " ".join(text.split())
    if len(quote) > most:
        quote = f"{quote[:most]}\N{HORIZONTAL ELLIPSIS}"
    return f"\N{LEFT DOUBLE QUOTATION MARK}{quote}\N{RIGHT DOUBLE QUOTATION MARK}"


def _joined(lines: Iterable[str]) -> str:
    every = list(lines)
    shown = every if len(every) <= _LINES else every[: _LINES - 1]
    told = [*map(_line, shown)]
    if len(shown) < len(every):
        told.append(_line(f"and {len(every) - len(shown)} more; the audit and the record have all"))
    return "\n".join(told)


def _line(text: str) -> str:
    """One line, whatever it quotes, that fits on every network."""
    line = _BULLET + " ".join(text.split())
    encoded = line.encode("utf-8", "replace")
    if len(encoded) <= _LINE_BYTES:
        return encoded.decode()
    return encoded[: _LINE_BYTES - 3].decode("utf-8", "ignore") + "\N{HORIZONTAL ELLIPSIS}"
