"""Every command there is, and the help that is made from them."""

from __future__ import annotations

from collections.abc import Iterable

from bots.commands.asking import ASKING
from bots.commands.parse import Spoken
from bots.commands.registry import Command, Desk, Registry
from bots.commands.steering import steering
from storage.inbox import Work


def catalogue(prefix: str) -> Registry:
    """All commands; `prefix` is shown in the help."""
    others = (*ASKING, *steering())

    async def tell(desk: Desk, work: Work, spoken: Spoken) -> str:
        return _help(others, prefix)

    return Registry((*others, Command("help", "", "this list", tell)))


def _help(commands: Iterable[Command], prefix: str) -> str:
    lines = [
        f"{prefix}{c.name} {c.usage}".strip()
        + f": {c.summary}{' (operators)' if c.steering else ''}"
        for c in commands
    ]
    return "\n".join(
        [*lines, "Or talk to an agent by its name, as in: secretary: who mentioned the mixer?"]
    )
