"""What is offered while an option is typed. Pure: answered from memory, at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bots.commands.registry import Kind

#: https://discord.com/developers/docs/interactions/receiving-and-responding
MOST_CHOICES: Final = 25
LONGEST_CHOICE: Final = 100


def choices(kind: Kind, typed: str, *, agents: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Names that fit what was typed so far: first those that begin with it."""
    known: Sequence[str] = ()
    match kind:
        case Kind.AGENT:
            known = agents
        case Kind.SCOPE:
            known = ("all", *agents)
        case Kind.SUBJECT:
            known = (*agents, "project")
        case Kind.CHANNEL:
            known = channels
        case Kind.DAY:
            known = ("today", "yesterday")
    wanted = typed.strip().lower().lstrip("#@")
    names = [name for name in dict.fromkeys(known) if len(name) <= LONGEST_CHOICE]
    first = [n for n in names if n.lower().lstrip("#").startswith(wanted)]
    rest = [n for n in names if n not in first and wanted in n.lower()]
    return [*first, *rest][:MOST_CHOICES]
