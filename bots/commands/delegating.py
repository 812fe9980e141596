"""The commands that hand work to agents: delegate, delegations, cancel."""

from __future__ import annotations

from typing import Any

from bots.commands.asked import Asked
from bots.commands.reading import agent_and_question, at_most_one
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear
from bots.control.operators import NotAnOperator
from bots.delegating.order import NotGiven, Order
from bots.delegating.telling import in_a_line, in_lines
from bots.delegating.turn import told
from bots.delegating.waiting import is_settled
from bots.messages import Target
from bots.talking.telling import in_lines as talk_in_lines
from storage import delegations, talks

#: a slash command is answered within a quarter of an hour; nobody looks at it for so long
_WAIT_S = 45.0
_SHOWN = 10


async def _delegate(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        by = desk.operators.vouch(asked.evidence)
        to = desk.agent_called(arguments["agent"]) or arguments["agent"].lower()
        order = Order(
            to=to,
            instruction=arguments["instruction"],
            asked_by=by,
            idempotency_key=asked.interaction or f"{asked.network}:{asked.message_id}",
            network=asked.network,
            is_private=not desk.is_open(asked),
            trace_id=asked.trace_id,
        )
        given = await desk.giving.give(order)
    except (NotAnOperator, NotGiven) as error:
        return f"No: {error}."
    ended = await desk.giving.wait(given.code, _WAIT_S)
    if not is_settled(ended) and not ended.deliver_to:
        ended = await desk.giving.say_later(given.code, str(_place(desk, asked))) or ended
    if is_settled(ended):
        return f"{ended.code}: {told(ended)}"
    return f"{ended.code}: {ended.agent} is at it; the result is said in {ended.deliver_to}."


async def _delegations(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    if "code" in arguments:
        talk = await desk.store.read(lambda unit: talks.by_code(unit, arguments["code"]))
        if talk is not None:
            turns = await desk.store.read(lambda unit: talks.turns(unit, talk.code))
            return "\n".join(talk_in_lines(talk, turns))
        tree = await desk.giving.tree(arguments["code"])
        if not tree:
            raise Unclear(f"There is no delegation {arguments['code']!r}.")
        return "\n".join(in_lines(tree))
    found = await desk.store.read(lambda unit: delegations.recent(unit, _SHOWN))
    return "\n".join(map(in_a_line, found)) or "Nothing was handed over yet."


async def _cancel(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    code = arguments["code"]
    ended = await desk.giving.cancel(code, asked.sender, arguments.get("reason", ""))
    if ended is None:
        raise Unclear(f"There is no delegation {code!r}.")
    return in_a_line(ended)


def _place(desk: Desk, asked: Asked) -> Target:
    """Where it was asked; in private where nothing may be said."""
    person = Target.person(asked.network, asked.sender, asked.account)
    if asked.in_private:
        return person
    channel = Target.channel(asked.network, asked.channel)
    return person if desk.giving.destinations.is_mute(str(channel)) else channel


def _instruction(words: str) -> dict[str, Any] | None:
    """``auto summarise #ubuntu``: who, and what."""
    given = agent_and_question(words)
    return given and {"agent": given["agent"], "instruction": given["question"]}


def _code_and_reason(words: str) -> dict[str, Any] | None:
    code, _, reason = words.strip().partition(" ")
    given = {"code": code, "reason": reason.strip()}
    return {key: value for key, value in given.items() if value} if code else None


DELEGATING = (
    Command(
        name="delegate",
        usage="AGENT|auto INSTRUCTION",
        summary="hand work to an agent; an operator's",
        options=(
            Option(
                "agent", "Who shall do it; auto: whoever is best at it", Kind.AGENT, required=True
            ),
            Option("instruction", "What is wanted, in plain words", required=True),
        ),
        read=_instruction,
        run=_delegate,
    ),
    Command(
        name="delegations",
        usage="[CODE]",
        summary="what was handed over, and what became of it",
        options=(
            Option(
                "code",
                "The tree of this one, such as D-7k2m9qxa, or a talk, T-9f3a21bc04",
                Kind.CODE,
            ),
        ),
        read=at_most_one("code"),
        run=_delegations,
        operators=True,
        private=True,
    ),
    Command(
        name="cancel",
        usage="CODE [REASON]",
        summary="end work that was handed over; an operator's",
        options=(
            Option("code", "Such as D-7k2m9qxa", Kind.CODE, required=True),
            Option("reason", "Why; it stays on record"),
        ),
        read=_code_and_reason,
        run=_cancel,
    ),
)
