"""The commands that ask: each hands its words to one of the brain's tools."""

from __future__ import annotations

import re
from typing import Any

from bots.commands.parse import Spoken
from bots.commands.registry import Command, Desk
from storage.inbox import Work

_DAY = re.compile(r"^(?:\d{4}-\d\d-\d\d|today|yesterday)$", re.IGNORECASE)
_HOURS = re.compile(r"^(\d{1,4}(?:\.\d)?)\s*h(?:ours?)?$", re.IGNORECASE)


def _scope(work: Work, words: str) -> tuple[dict[str, Any], str]:
    """Channel and hours named at the front of `words`, and what remains; the channel asked in by
    default.
    """
    given: dict[str, Any] = {}
    rest = words.split()
    while rest:
        hours = _HOURS.match(rest[0])
        if hours:
            given["hours"] = float(hours[1])
        elif _DAY.match(rest[0]):
            given["day"] = rest[0].lower()
        elif rest[0].startswith("#"):
            given["channel"] = rest[0]
        else:
            break
        rest = rest[1:]
    if "channel" not in given and work.channel.startswith("#"):
        given["channel"] = work.channel
    return given, " ".join(rest)


async def _search(desk: Desk, work: Work, spoken: Spoken) -> str:
    scope, words = _scope(work, spoken.words)
    if not words:
        return ""
    if not spoken.words.lstrip().startswith("#"):
        # People search what the swarm has heard; only a named channel narrows it.
        scope.pop("channel", None)
    return await desk.use_tool(work, "search", {**scope, "query": words})


async def _summary(desk: Desk, work: Work, spoken: Spoken) -> str:
    scope, rest = _scope(work, spoken.words)
    return "" if rest else await desk.use_tool(work, "summary", scope)


async def _seen(desk: Desk, work: Work, spoken: Spoken) -> str:
    nick = spoken.words.strip()
    if not nick or " " in nick:
        return ""
    return await desk.use_tool(work, "seen", {"nick": nick})


async def _stats(desk: Desk, work: Work, spoken: Spoken) -> str:
    scope, rest = _scope(work, spoken.words)
    return "" if rest else await desk.use_tool(work, "stats", scope)


async def _agents(desk: Desk, work: Work, spoken: Spoken) -> str:
    return await desk.use_tool(work, "agents", {})


async def _status(desk: Desk, work: Work, spoken: Spoken) -> str:
    # Who is named answers for itself; otherwise the listener answers for all.
    return desk.own_state() if spoken.target else await desk.use_tool(work, "status", {})


ASKING = (
    Command("search", "[#channel] [HOURSh|DAY] WORDS", "who said it, when, and the line", _search),
    Command("summary", "[#channel] [HOURSh|DAY]", "what was talked about", _summary),
    Command("seen", "NICK", "when somebody was last heard", _seen),
    Command("stats", "[#channel] [HOURSh|DAY]", "lines, people, busiest hour", _stats),
    Command("agents", "", "who is here and what for", _agents),
    Command(
        "status",
        "[agent:NAME|role:ROLE|all]",
        "who is ready, who is not",
        _status,
        when_killed=True,
    ),
)
