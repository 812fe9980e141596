"""The commands that give account: models, use, who one is, what was decided."""

from __future__ import annotations

from collections import defaultdict

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.budget import BUDGET
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, named
from bots.control.operators import NotAnOperator
from bots.messages import DISCORD
from brain.tools.quoting import counted
from brain.wallet.budgets import usd
from storage import audit, spending, usage
from storage.spending import Bill, Bills
from storage.tables import AuditEntry
from storage.usage import Usage

_SHOWN = 8
_LONGEST = 90
_MODEL_CALLED = {"offline": "offline brain"}


async def _model(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    by_model: dict[str, list[str]] = defaultdict(list)
    for agent in desk.agents:
        by_model[desk.model_of(agent)].append(agent)
    return "\n".join(f"{model}: {', '.join(who)}" for model, who in by_model.items())


async def _usage(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    only = named(desk, arguments["agent"]) if "agent" in arguments else None
    midnight = desk.now().replace(hour=0, minute=0, second=0, microsecond=0)
    async with desk.store.reading() as unit:
        turns = {(u.agent, u.model): u for u in await usage.of_agents(unit, midnight)}
        calls = {(b.agent, b.model): b for b in await spending.bills(unit, midnight)}
    who = sorted(key for key in {*turns, *calls} if only in (None, key[0]))
    if not who:
        return f"{only or 'Nobody'} has answered nothing yet." if only else "No turns yet."
    lines = [_used(key, turns.get(key), calls.get(key)) for key in who]
    return "\n".join([*lines, "Commands are not counted; the offline brain costs nothing."])


def _used(key: tuple[str, str], turns: Usage | None, calls: Bills | None) -> str:
    agent, model = key
    parts = []
    if turns is not None:
        today, in_all = turns.today, turns.in_all
        parts.append(
            f"today {counted(today.turns, 'turn')}, {counted(today.steps, 'step')}, "
            f"{counted(today.answers, 'answer')}; "
            f"in all {in_all.turns}, {in_all.steps}, {in_all.answers}"
        )
    if calls is None:
        parts.append("0 tokens, 0.00 USD")
    else:
        parts += [f"today {_billed(calls.today)}", f"in all {_billed(calls.in_all)}"]
    return f"{agent} ({_MODEL_CALLED.get(model, model)}): {'; '.join(parts)}"


def _billed(bill: Bill) -> str:
    """As in ``1,234 tokens in (1,000 cached), 56 out, 0.0123 USD``."""
    cached = bill.cache_read_tokens
    read = bill.input_tokens + bill.cache_write_tokens + cached
    hint = f" ({cached:,} cached)" if cached else ""
    return f"{read:,} tokens in{hint}, {bill.output_tokens:,} out, {usd(bill.nusd)} USD"


async def _whoami(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    if asked.network == DISCORD:
        known = f"Discord user id {asked.account}"
        roles = f", roles {', '.join(asked.roles)}" if asked.roles else ""
    else:
        known = f"account {asked.account}" if asked.account else "no account"
        roles = ""
    try:
        steers = f"You may steer, by {desk.operators.vouch(asked.evidence)}."
    except NotAnOperator:
        steers = "You may not steer: kill, resume, restart and audit are for operators."
    return f"You are {asked.sender} on {asked.network} ({known}{roles}). {steers}"


async def _audit(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    agent = named(desk, arguments["agent"]) if "agent" in arguments else desk.agent
    async with desk.store.reading() as unit:
        entries = await audit.entries(unit, agent, _SHOWN)
        broken = await audit.verify(unit, agent)
    if not entries:
        return f"{agent}: no decision is on record."
    whole = "the chain holds" if broken is None else f"THE CHAIN IS BROKEN at entry {broken}"
    head = f"{agent}: {entries[-1].seq} decisions, {whole}; the newest (UTC):"
    return "\n".join([head, *map(_decided, reversed(entries))])


def _decided(entry: AuditEntry) -> str:
    reason = " ".join(entry.reason.split())
    if len(reason) > _LONGEST:
        reason = f"{reason[:_LONGEST]}…"
    return f"{entry.at:%m-%d %H:%M:%S} {entry.verb} {entry.target}: {entry.outcome} ({reason})"


ACCOUNTING = (
    Command(
        name="model",
        summary="what each agent thinks with",
        read=reading.nothing,
        run=_model,
        private=True,
    ),
    Command(
        name="usage",
        usage="[AGENT]",
        summary="turns, steps and answers; tokens and cost of each model",
        options=(Option("agent", "Only this agent's", Kind.AGENT),),
        read=reading.at_most_one("agent"),
        run=_usage,
        private=True,
    ),
    BUDGET,
    Command(
        name="whoami",
        summary="how the swarm knows you, and whether you may steer",
        read=reading.nothing,
        run=_whoami,
        private=True,
    ),
    Command(
        name="audit",
        usage="[AGENT]",
        summary="newest decisions, and whether the record of them is whole",
        options=(Option("agent", "Whose; left out: the one who answers", Kind.AGENT),),
        read=reading.at_most_one("agent"),
        run=_audit,
        operators=True,
        private=True,
    ),
)
