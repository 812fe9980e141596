"""The commands about events and knowledge: who is told of what, what is unread, what is known."""

from __future__ import annotations

from typing import Any, Final

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear
from bots.control.operators import NotAnOperator
from bots.events import wording
from bots.events.quiet import QuietError, QuietHours
from bots.events.receivers import Receiver, Unknown, channel_of, person_of
from brain.tools.quoting import counted
from storage import deliveries, subscriptions
from storage.deliveries import Notice
from storage.event_tables import EventState, Subscription
from storage.subscriptions import TooMany, Wanted
from storage.topics import PatternError, pattern_of
from storage.unit import Unit

_CHANNEL: Final = Option("channel", "A channel's instead of yours (operators)", Kind.CHANNEL)
_SHOWN: Final = 10
_NONE: Final = "no subscriptions; subscribe TOPIC makes one, and docs/EVENTS.md lists the topics"


async def _subscribe(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    receiver = _receiver(desk, asked, arguments)
    try:
        topic = pattern_of(arguments["topic"])
        quiet = _quiet(arguments.get("quiet", ""))
    except (PatternError, QuietError) as error:
        raise Unclear(f"No: {error}.") from None
    wanted = Wanted(
        receiver=receiver.name,
        topic=topic,
        address=receiver.address,
        made_by=receiver.made_by,
        quiet_from=f"{quiet.begin:%H:%M}" if quiet else "",
        quiet_until=f"{quiet.end:%H:%M}" if quiet else "",
        zone=quiet.zone if quiet else "",
    )
    try:
        async with desk.store.writing() as unit:
            await subscriptions.add(
                unit, wanted, by=desk.agent, now=desk.now(), trace_id=asked.trace_id
            )
    except TooMany as error:
        raise Unclear(f"No: {error}.") from None
    but = f", but not from {quiet}" if quiet else ""
    return f"{receiver.told} will be told of {topic}{but}."


async def _unsubscribe(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    receiver, now = _receiver(desk, asked, arguments), desk.now()
    topic = arguments["topic"].strip().lower()
    async with desk.store.writing() as unit:
        known = await subscriptions.of(unit, receiver.name)
        for one in known:
            if one.topic == topic:
                by, trace = desk.agent, asked.trace_id
                made_by = receiver.made_by
                await subscriptions.end(unit, one, by=by, made_by=made_by, now=now, trace_id=trace)
                return f"{receiver.told} will not be told of {topic} any more."
    there = ", ".join(one.topic for one in known)
    has = f"there is {there}" if there else _NONE
    raise Unclear(f"{receiver.told}: no subscription to {topic!r}; {has}.")


async def _subscriptions(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    receiver = _receiver(desk, asked, arguments)
    async with desk.store.reading() as unit:
        known = await subscriptions.of(unit, receiver.name)
        states = await deliveries.counts(unit, receiver.name)
    if not known:
        return f"{receiver.told}: {_NONE}."
    return "\n".join(_line(one, states.get(one.id or 0, {})) for one in known)


async def _unread(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    receiver, now = _receiver(desk, asked, arguments), desk.now()

    async def take(unit: Unit) -> tuple[list[Notice], int]:
        notices, count = await deliveries.unread(unit, receiver.name, _SHOWN)
        await deliveries.read(unit, notices, now)
        return notices, count

    notices, count = await desk.store.write(take)
    if not notices:
        return f"{receiver.told}: nothing unread."
    more = [f"{count - len(notices)} more: unread shows them"] if count > len(notices) else []
    return "\n".join([*map(wording.line, notices), *more])


async def _knowledge(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await desk.use_tool(asked, "search_knowledge", {"query": arguments.get("words")})


def _receiver(desk: Desk, asked: Asked, arguments: Arguments) -> Receiver:
    try:
        if "channel" not in arguments:
            return person_of(asked.network, asked.sender, asked.account)
        by = desk.operators.vouch(asked.evidence)
        return channel_of(asked.network, arguments["channel"], by)
    except (Unknown, NotAnOperator) as error:
        raise Unclear(f"No: {error}.") from None


def _quiet(words: str) -> QuietHours | None:
    span, _, zone = words.strip().partition(" ")
    return QuietHours.parse(span, zone) if span else None


def _line(one: Subscription, states: dict[EventState, int]) -> str:
    parts = []
    quiet = QuietHours.of_row(one.quiet_from, one.quiet_until, one.zone)
    if quiet is not None:
        parts.append(f"quiet {quiet}")
    unread = sum(states.get(state, 0) for state in deliveries.KEPT)
    if unread:
        parts.append(f"{counted(unread, 'event')} unread")
    if states.get(EventState.DEAD):
        parts.append(f"{states[EventState.DEAD]} of them could not be sent")
    if one.trouble:
        parts.append(f"the last try failed: {one.trouble}")
    return f"{one.topic}: {'; '.join(parts) or 'nothing unread'}"


def _topic_channel_quiet(words: str) -> dict[str, Any] | None:
    """``delegation.* #reports 22:00-07:00 Europe/Berlin``: the last two may be left out."""
    topic, _, rest = words.strip().partition(" ")
    if not topic:
        return None
    first, _, others = rest.strip().partition(" ")
    given = {"topic": topic}
    if first.startswith("#"):
        given["channel"], rest = first, others
    if rest.strip():
        given["quiet"] = rest.strip()
    return given


def _topic_channel(words: str) -> dict[str, Any] | None:
    given = _topic_channel_quiet(words)
    return None if given is None or "quiet" in given else given


def _words(words: str) -> dict[str, Any]:
    return {"words": words.strip()} if words.strip() else {}


SUBSCRIBING = (
    Command(
        name="subscribe",
        usage="TOPIC [#channel] [22:00-07:00 [ZONE]]",
        summary="be told of events, such as delegation.failed",
        options=(
            Option("topic", "delegation.failed, knowledge, kill, *.failed …", required=True),
            _CHANNEL,
            Option("quiet", "Hours to be told nothing, such as 22:00-07:00 Europe/Berlin"),
        ),
        read=_topic_channel_quiet,
        run=_subscribe,
        private=True,
    ),
    Command(
        name="unsubscribe",
        usage="TOPIC [#channel]",
        summary="be told of them no more; what is unread stays",
        options=(Option("topic", "As subscriptions shows it", required=True), _CHANNEL),
        read=_topic_channel,
        run=_unsubscribe,
        private=True,
    ),
    Command(
        name="subscriptions",
        usage="[#channel]",
        summary="what you are told of, and what could not be sent",
        options=(_CHANNEL,),
        read=reading.at_most_one("channel"),
        run=_subscriptions,
        private=True,
    ),
    Command(
        name="unread",
        usage="[#channel]",
        summary="events that you have not read; showing them marks them as read",
        options=(_CHANNEL,),
        read=reading.at_most_one("channel"),
        run=_unread,
        private=True,
    ),
    Command(
        name="knowledge",
        usage="[WORDS]",
        summary="what agents published, how sure they are, and on what it stands",
        options=(Option("words", "Words to look for; left out: the newest"),),
        read=_words,
        run=_knowledge,
    ),
)
