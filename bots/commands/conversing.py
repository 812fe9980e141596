"""The commands about a conversation: end its work, begin it anew, make it shorter."""

from __future__ import annotations

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear, named
from storage import sessions

_WHOSE = Option("agent", "Only this agent's; left out: every agent's here", Kind.AGENT)


def _meant(desk: Desk, asked: Asked, arguments: Arguments) -> list[str]:
    """The agent that is named; else all that are here where nobody was called upon, else the one
    that answers.
    """
    if "agent" in arguments:
        return [named(desk, arguments["agent"])]
    if asked.of_all or asked.interaction is not None:
        return [*desk.present(asked)]
    return [desk.agent]


async def _stop(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    meant = _meant(desk, asked, arguments)
    for agent in meant:
        if agent not in desk.present(asked):
            raise Unclear(f"{agent} is not {asked.where}.")
    ended = desk.agent in meant and await desk.stop(asked)
    others = [agent for agent in meant if agent != desk.agent]
    if others:
        # With its prefix it comes to the others as a command too.
        await desk.hand_on(asked, others, f"{desk.prefix(asked)}stop", urgent=True)
    if asked.of_all or asked.interaction is not None:
        return f"Told {_listed(meant)} to stop."
    # Whoever was handed the word and has nothing to stop need not say so.
    return "Stopped." if ended else ""


async def _new(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    meant = _meant(desk, asked, arguments)
    async with desk.store.writing() as unit:
        begun = [a for a in meant if await sessions.begin_anew(unit, a, asked.session)]
    if not begun:
        return f"{_listed(meant)}: nothing to forget here; the next question begins anew anyway."
    return f"A new conversation with {_listed(begun)}: what was said before is kept, not used."


async def _compact(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    meant = _meant(desk, asked, arguments)
    lines = [await _compact_one(desk, asked, agent) for agent in meant]
    said = [line for line in lines if line]
    return "\n".join(said) or f"{_listed(meant)}: nothing to make shorter here."


async def _compact_one(desk: Desk, asked: Asked, agent: str) -> str:
    """What came of it, empty when there was nothing to do."""
    made = await desk.compact(asked, agent)
    if made is None:
        return ""
    return (
        f"{agent}: {made.turns} turns became {len(made.digest)} characters; the originals are kept."
    )


def _listed(agents: list[str]) -> str:
    return ", ".join(agents)


CONVERSING = (
    Command(
        name="stop",
        usage="[AGENT]",
        summary="end what is being worked on here",
        options=(_WHOSE,),
        read=reading.at_most_one("agent"),
        run=_stop,
    ),
    Command(
        name="new",
        usage="[AGENT]",
        summary="begin the conversation here anew",
        options=(_WHOSE,),
        read=reading.at_most_one("agent"),
        run=_new,
    ),
    Command(
        name="compact",
        usage="[AGENT]",
        summary="replace earlier turns here by a summary",
        options=(_WHOSE,),
        read=reading.at_most_one("agent"),
        run=_compact,
    ),
)
