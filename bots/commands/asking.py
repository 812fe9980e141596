"""The commands that ask: an agent with its own mouth, or one of the brain's tools."""

from __future__ import annotations

from typing import Any

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, named
from bots.project.telling import standing
from storage import agents, project_log

_CHANNEL = Option("channel", "Only this channel, such as #lobby", Kind.CHANNEL)
_HOURS = Option("hours", "Only the last so many hours", Kind.HOURS)
#: what `status` is asked of beside agents
PROJECT = "project"
_DAY = Option("day", "Only one day (UTC): today, yesterday or YYYY-MM-DD", Kind.DAY)


async def _ask(desk: Desk, asked: Asked, arguments: Arguments) -> str | None:
    agent, question = named(desk, arguments["agent"]), arguments["question"]
    latch = desk.latch_on(agent)
    if latch is not None:
        return f"{agent} was {latch.told}. It answers nobody until it is resumed."
    if agent not in desk.present(asked):
        return f"{agent} is not {asked.where}; ask it where it is."
    await desk.hand_on(asked, [agent], question, urgent=False)
    # A line stands in the channel for everybody to read; a slash command does not.
    return f"{asked.sender} asks {agent}: {question}" if asked.interaction else None


async def _search(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    # People search what the swarm has heard; only a named channel narrows it.
    given = dict(arguments)
    return await desk.use_tool(asked, "search", {"query": given.pop("words"), **given})


async def _summary(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await desk.use_tool(asked, "summary", _here(asked, arguments))


async def _seen(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await desk.use_tool(asked, "seen", {"nick": arguments["nick"]})


async def _stats(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await desk.use_tool(asked, "stats", _here(asked, arguments))


async def _agents(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await desk.use_tool(asked, "agents", {})


async def _status(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    if arguments.get("agent", "").lower() == PROJECT and desk.agent_called(PROJECT) is None:
        return standing(await desk.store.read(project_log.standing))
    agent = named(desk, arguments["agent"]) if "agent" in arguments else None
    if agent == desk.agent or (agent is None and asked.target is not None):
        # Who is named answers for itself; otherwise one answers for all.
        return desk.own_state()
    if agent is None:
        return await desk.use_tool(asked, "status", {})
    return await _state_of(desk, agent)


async def _state_of(desk: Desk, agent: str) -> str:
    """Another agent, as the record of the swarm has it."""
    latch = desk.latch_on(agent)
    if latch is not None:
        return f"{agent}: {latch.told}"
    async with desk.store.reading() as unit:
        rows = {row.name: row for row in await agents.roster(unit)}
    row = rows.get(agent)
    if row is None:
        return f"{agent}: never started"
    return f"{agent}: {row.state}" + (f" ({row.reason})" if row.reason else "")


def _here(asked: Asked, arguments: Arguments) -> dict[str, Any]:
    """The channel asked in, unless one is named."""
    given = dict(arguments)
    if "channel" not in given and not asked.in_private:
        given["channel"] = asked.channel
    return given


ASKING = (
    Command(
        name="ask",
        usage="AGENT QUESTION",
        summary="an agent answers with its own mouth",
        options=(
            Option("agent", "Who should answer", Kind.AGENT, required=True),
            Option("question", "What you want to know", required=True),
        ),
        read=reading.agent_and_question,
        run=_ask,
    ),
    Command(
        name="search",
        usage="[#channel] [HOURSh|DAY] WORDS",
        summary="who said it, when, and the line",
        options=(Option("words", "Words to look for", required=True), _CHANNEL, _HOURS, _DAY),
        read=reading.scope_and_words,
        run=_search,
    ),
    Command(
        name="summary",
        usage="[#channel] [HOURSh|DAY]",
        summary="what was talked about",
        options=(_CHANNEL, _HOURS, _DAY),
        read=reading.scope,
        run=_summary,
    ),
    Command(
        name="seen",
        usage="NICK",
        summary="when somebody was last heard",
        options=(Option("nick", "Whom you miss", required=True),),
        read=reading.one("nick"),
        run=_seen,
    ),
    Command(
        name="stats",
        usage="[#channel] [HOURSh|DAY]",
        summary="lines, people, busiest hour",
        options=(_CHANNEL, _HOURS, _DAY),
        read=reading.scope,
        run=_stats,
    ),
    Command(
        name="agents",
        summary="who is here and what for",
        read=reading.nothing,
        run=_agents,
    ),
    Command(
        name="status",
        usage="[agent:NAME|role:ROLE|all|project]",
        summary="who is ready, who is not; of the project: how it stands",
        options=(Option("agent", "Only this agent; project: how it stands", Kind.SUBJECT),),
        read=reading.at_most_one("agent"),
        run=_status,
        when_killed=True,
    ),
)
