"""Whom a line is for. Pure: text and names in, agents out.

A line addresses an agent when it begins with its name (``secretary: …``, ``secretary, auditor: …``,
``@secretary …``) or carries ``@secretary`` anywhere. A name in the middle of a sentence is talk
about somebody, not to somebody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"@?[^\s,:&@]+"
_OPENING = re.compile(rf"^\s*({_NAME}(?:\s*(?:,|&|\band\b)\s*{_NAME})*)\s*[:,]\s*(.*)$", re.DOTALL)
_BETWEEN = re.compile(r"\s*(?:,|&|\band\b)\s*")
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
    named, rest = _opening(text, agents)
    found = list(named)
    for mention in () if by_agent else _MENTION.finditer(rest):
        agent = agents.get(mention.group(1).lower())
        if agent and agent not in found:
            found.append(agent)
    if not named:
        rest = _without_leading_mention(rest, agents)
    return Addressed(tuple(found), rest.strip())


def _opening(text: str, agents: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    match = _OPENING.match(text)
    if not match:
        return (), text
    names = [n.removeprefix("@").lower() for n in _BETWEEN.split(match.group(1))]
    known = [agents[n] for n in names if n in agents]
    return tuple(dict.fromkeys(known)), match.group(2) if known else text


def _without_leading_mention(text: str, agents: Mapping[str, str]) -> str:
    """`@secretary what happened?` asks `what happened?`; a mention further on stays in the
    sentence.
    """
    match = re.match(r"^\s*@([^\s,:;!?.&@]+)\s+(.*)$", text, re.DOTALL)
    return match.group(2) if match and match.group(1).lower() in agents else text
