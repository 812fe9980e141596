"""The words of posts. Pure: what happened in, text and the next mark out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bots.herald.lines import UNQUOTED, entry_line, joined, quoted
from storage.happenings import Exchange, Refusal, Steered, Warned
from storage.project_tables import ProjectEntry
from storage.tables import Agent, AgentState

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
        *(entry_line(entry, is_quoted=is_quoted) for entry, is_quoted in entries),
    ]
    return Post(joined(lines), urgent=any(s.verb == "kill" for s in steered))


def between_agents(
    exchanges: Sequence[Exchange], may_be_quoted: Callable[[Exchange], bool]
) -> Post:
    """What agents said to each other, with place and trace, and quoted where it may be."""
    return Post(joined(_exchange(e, is_quoted=may_be_quoted(e)) for e in exchanges))


def spent(head: str, lines: Sequence[str]) -> Post:
    """A month's expenses."""
    return Post(f"{head}\n{joined(lines)}")


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


def _exchange(one: Exchange, *, is_quoted: bool) -> str:
    private = one.channel.startswith("nick:")
    place = f"{'in private' if private else f'in {one.channel}'} on {one.network}"
    if one.talk:
        place = f"in talk {one.talk}"
    did = "answered" if one.is_answer else "to"
    told = f"{one.at:%H:%M} UTC {one.speaker} {did} {one.listener} {place}, trace {one.trace_id}"
    return f"{told}: {quoted(one.text) if is_quoted else UNQUOTED}"
