"""Every command there is, and the help and the documentation that are made from them."""

from __future__ import annotations

from collections.abc import Iterable

from bots.commands import reading
from bots.commands.accounting import ACCOUNTING
from bots.commands.asked import Asked
from bots.commands.asking import ASKING
from bots.commands.conversing import CONVERSING
from bots.commands.deciding import DECIDING
from bots.commands.delegating import DELEGATING
from bots.commands.project import PROJECT
from bots.commands.registry import Arguments, Command, Desk, Registry
from bots.commands.steering import STEERING
from bots.commands.subscribing import SUBSCRIBING
from bots.commands.workflows import WORKFLOWS
from bots.messages import DISCORD


def catalogue(prefix: str) -> Registry:
    """All commands; `prefix` is shown in the help."""
    others = (
        *ASKING,
        *CONVERSING,
        *DELEGATING,
        *WORKFLOWS,
        *PROJECT,
        *ACCOUNTING,
        *SUBSCRIBING,
        *DECIDING,
        *STEERING,
    )

    async def tell(desk: Desk, asked: Asked, arguments: Arguments) -> str:
        if asked.network == DISCORD:
            return _help(others, "/", by_slash=True)
        return _help(others, prefix)

    told = Command(name="help", summary="this list", read=reading.nothing, run=tell, private=True)
    return Registry((*others, told))


def _help(commands: Iterable[Command], prefix: str, *, by_slash: bool = False) -> str:
    lines = [
        f"{prefix}{c.slash_name if by_slash else c.name} {c.usage}".strip()
        + f": {c.summary}{' (operators)' if c.steering or c.operators else ''}"
        for c in commands
    ]
    return "\n".join(
        [*lines, "Or talk to an agent by its name, as in: secretary: who mentioned the mixer?"]
    )


def table(commands: Iterable[Command]) -> str:
    """All commands as a Markdown table, as `docs/COMMANDS.md` shows it."""
    rows = [
        "| Discord, console | IRC | what it does | who | answer |",
        "|---|---|---|---|---|",
    ]
    for c in commands:
        slash = " ".join([f"`/{c.slash_name}`", *(_option(o.name, o.required) for o in c.options)])
        spoken = f"`!{c.name} {c.usage}`".replace(" `", "`").replace("|", "\\|")
        who = "operators" if c.steering or c.operators else "everybody"
        seen = "for you alone" if c.private else "for everybody"
        killed = ", also when killed" if c.when_killed else ""
        rows.append(f"| {slash} | {spoken} | {c.summary} | {who} | {seen}{killed} |")
    return "\n".join(rows) + "\n"


def _option(name: str, required: bool) -> str:  # noqa: FBT001 - a fact about the option
    return f"`{name}`" if required else f"[`{name}`]"
