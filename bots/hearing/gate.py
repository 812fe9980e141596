"""Whom a line is for. Pure: text and names in, agents out. Linear in the length of the line: what
strangers write is read here first.

A line addresses an agent when it begins with its name (``secretary: …``, ``secretary, auditor: …``,
``@secretary …``) or carries ``@secretary`` anywhere. A name in the middle of a sentence is talk
about somebody, not to somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: longer lists of names are no address
_MOST_NAMES = 32
#: one name of an opening list and what follows it; matched step by step, so nothing backtracks
_STEP = re.compile(r"\s*@?([^\s,:&@]{1,64})\s*([,&:]|and(?=\s))?")
_MENTION = re.compile(r"(?<![\w@])@([^\s,:;!?.&@]+)")


@dataclass(frozen=True)
class Addressed:
    #: agents the line is for, in the order named, without repeats
    agents: tuple[str, ...]
    #: the line without its opening address
    text: str


def addressees(text: str, agents: Mapping[str, str], *, by_agent: bool = False) -> Addressed:
    """Which of `agents` (folded nick or name → agent) this line is for.

    `by_agent`: an agent said it. Agents quote people, so only the opening of their lines counts.
    """
    named, rest = _opening(text.strip(), agents)
    found = list(named)
    for mention in () if by_agent else _MENTION.finditer(rest):
        agent = agents.get(mention.group(1).lower())
        if agent and agent not in found:
            found.append(agent)
    if not named:
        rest = _without_leading_mention(rest, agents)
    return Addressed(tuple(found), rest.strip())


def to_nobody(lines: Iterable[str], agents: Mapping[str, str]) -> list[str]:
    """`lines` that an agent says, none of which calls another: one that is listed by its name must
    not take that for a call.
    """
    return [
        f"\N{BULLET} {line}" if addressees(line, agents, by_agent=True).agents else line
        for line in lines
    ]


def _opening(text: str, agents: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The agents in an opening list of names, and what follows it.

    ``secretary, auditor: hello`` names two. In ``secretary, what is that: a bug?`` the list ends
    with the comma, for what follows it is no list any more.
    """
    names: list[str] = []
    ended = 0, 0  # names so far and position at the last comma
    position = 0
    while len(names) < _MOST_NAMES and (step := _STEP.match(text, position)):
        names.append(step.group(1).lower())
        position = step.end()
        separator = step.group(2)
        if separator in {":", ","}:
            ended = len(names), position
        if separator in {":", None}:
            break
    known = [agents[n] for n in names[: ended[0]] if n in agents]
    return tuple(dict.fromkeys(known)), text[ended[1] :] if known else text


def _without_leading_mention(text: str, agents: Mapping[str, str]) -> str:
    """`@secretary what happened?` asks `what happened?`, however many are called at the beginning;
    a mention further on stays in it.
    """
    words = text.strip()
    for _ in range(_MOST_NAMES):
        first, _, rest = words.partition(" ")
        name = first.removeprefix("@").rstrip(",:;!?.&")
        if not first.startswith("@") or name.lower() not in agents:
            break
        words = rest.lstrip()
    return words
