"""What each gateway event changes in the model. Pure: an event in, changes out, time passed in.

Source of names and shapes: Discord's documentation, "Gateway Events".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bots.console import growing, reactions
from bots.console.model import KEPT, TYPING_S, Change, Channel, Guild, Kind, Member, Payload, calls

Changes = tuple[Change, ...]
_CHANNELS = Change("channels")
_MEMBERS = Change("members")
_THREAD_STARTER = 21


def apply(guild: Guild, name: str, data: Payload, now_s: float) -> Changes:
    """Change `guild` by one dispatch; says what must be shown anew. Unknown ones change nothing."""
    handler = _HANDLERS.get(name)
    return handler(guild, data, now_s) if handler else ()


def learn(guild: Guild, channel: Channel, messages: Iterable[Payload]) -> None:
    """Take messages of a channel's history; what the gateway said meanwhile is newer and stays."""
    for message in messages:
        channel.messages.setdefault(int(message["id"]), message)
        _meet(guild, message)
    channel.messages = dict(sorted(channel.messages.items()))


def mark_read(channel: Channel, message_id: int) -> Changes:
    """The person has seen everything up to this message."""
    if message_id <= channel.read_id and not channel.mentions:
        return ()
    channel.read_id = max(channel.read_id, message_id)
    channel.mentions = 0
    return (_CHANNELS,)


# --- beginning ----------------------------------------------------------------------------------


def _ready(guild: Guild, data: Payload, now_s: float) -> Changes:
    guild.me = int(data["user"]["id"])
    known = {c.id: c for c in guild.channels.values() if c.is_dm}
    guild.channels = {c: replace(known[c], loaded=False, messages={}) for c in known}
    guild.members, guild.typing = {}, {}
    _know(guild, data["user"])
    for payload in data.get("private_channels") or ():
        _put_channel(guild, payload)
    return ()


def _guild_create(guild: Guild, data: Payload, now_s: float) -> Changes:
    if int(data["id"]) != guild.id:
        return ()
    guild.name = str(data.get("name", ""))
    guild.roles = {int(r["id"]): str(r["name"]) for r in data.get("roles", ())}
    for member in data.get("members", ()):
        _put_member(guild, member)
    for presence in data.get("presences", ()):
        _put_presence(guild, presence)
    for payload in [*data.get("channels", ()), *data.get("threads", ())]:
        channel = _put_channel(guild, payload)
        # what was said before this session began is taken as seen
        channel.read_id = channel.last_message_id
    return (Change("everything"),)


# --- channels and threads -----------------------------------------------------------------------


def _put_channel(guild: Guild, data: Payload) -> Channel:
    """The channel, made or brought up to date."""
    key = int(data["id"])
    channel = guild.channels.get(key)
    if channel is None:
        channel = guild.channels[key] = Channel(id=key, kind=int(data["type"]))
    meta: Mapping[str, Any] = data.get("thread_metadata") or {}
    channel.kind = int(data["type"])
    channel.name = str(data.get("name") or "")
    channel.topic = str(data.get("topic") or "")
    channel.position = int(data.get("position") or 0)
    channel.parent_id = int(data.get("parent_id") or 0)
    channel.last_message_id = max(channel.last_message_id, int(data.get("last_message_id") or 0))
    channel.message_count = int(data.get("message_count") or channel.message_count)
    channel.archived = bool(meta.get("archived"))
    channel.locked = bool(meta.get("locked"))
    if "recipients" in data:
        for recipient in data["recipients"]:
            _know(guild, recipient)
        channel.recipients = tuple(int(r["id"]) for r in data["recipients"])
    return channel


def _channel(guild: Guild, data: Payload, now_s: float) -> Changes:
    channel = _put_channel(guild, data)
    return (_CHANNELS, Change("channel", channel.id))


def _thread(guild: Guild, data: Payload, now_s: float) -> Changes:
    channel = _put_channel(guild, data)
    # the message that it was opened on shows how long it is
    return (
        _CHANNELS,
        Change("channel", channel.id),
        Change("message", channel.parent_id, channel.id),
    )


def _channel_gone(guild: Guild, data: Payload, now_s: float) -> Changes:
    gone = guild.channels.pop(int(data["id"]), None)
    return (_CHANNELS, Change("channel", gone.id)) if gone else ()


# --- people -------------------------------------------------------------------------------------


def _know(guild: Guild, user: Payload) -> Member:
    key = int(user["id"])
    member = guild.members.get(key)
    if member is None:
        member = guild.members[key] = Member(id=key, name="")
    member.name = str(user.get("global_name") or user.get("username") or member.name)
    member.bot = bool(user.get("bot", member.bot))
    member.avatar = str(user.get("avatar") or "")
    return member


def _put_member(guild: Guild, data: Payload) -> None:
    member = _know(guild, data["user"])
    if data.get("nick"):
        member.name = str(data["nick"])


def _put_presence(guild: Guild, data: Payload) -> None:
    member = guild.members.get(int(data["user"]["id"]))
    if member is None:
        return
    member.status = str(data.get("status", "offline"))
    spoken = (a.get("state") or a.get("name") or "" for a in data.get("activities") or ())
    member.activity = str(next((s for s in spoken if s), ""))


def _member(guild: Guild, data: Payload, now_s: float) -> Changes:
    _put_member(guild, data)
    return (_MEMBERS, _CHANNELS)


def _presence(guild: Guild, data: Payload, now_s: float) -> Changes:
    _put_presence(guild, data)
    return (_MEMBERS,)


def _own_user(guild: Guild, data: Payload, now_s: float) -> Changes:
    _know(guild, data)
    return (_MEMBERS,)


def _role(guild: Guild, data: Payload, now_s: float) -> Changes:
    guild.roles[int(data["role"]["id"])] = str(data["role"]["name"])
    return (_MEMBERS,)


def _role_gone(guild: Guild, data: Payload, now_s: float) -> Changes:
    guild.roles.pop(int(data["role_id"]), None)
    return (_MEMBERS,)


def _typing(guild: Guild, data: Payload, now_s: float) -> Changes:
    channel, user = int(data["channel_id"]), int(data["user_id"])
    guild.typing.setdefault(channel, {})[user] = now_s + TYPING_S
    return (Change("typing", channel),)


# --- messages -----------------------------------------------------------------------------------


def _meet(guild: Guild, message: Payload) -> None:
    """Whoever wrote it or is named in it can be named by us, also when they are no member."""
    for user in [message.get("author"), *message.get("mentions", ())]:
        if user and int(user["id"]) not in guild.members:
            _know(guild, user).status = "gone"


def _message(guild: Guild, data: Payload, now_s: float) -> Changes:
    key, place = int(data["id"]), int(data["channel_id"])
    channel = guild.channels.get(place)
    if channel is None:
        # a DM that was opened by the other side
        channel = guild.channels[place] = Channel(id=place, kind=Kind.DM)
        channel.recipients = (int(data["author"]["id"]),)
    _meet(guild, data)
    author = int(data["author"]["id"])
    left = growing.left_by(channel, author)
    channel.left.update(left)
    channel.messages[key] = data
    channel.last_message_id = max(channel.last_message_id, key)
    while len(channel.messages) > KEPT:
        oldest = next(iter(channel.messages))
        del channel.messages[oldest]
        channel.left.discard(oldest)
        channel.complete = False
    guild.typing.get(place, {}).pop(author, None)
    changes = [Change("message", place, key), _CHANNELS, Change("typing", place)]
    changes += [Change("message", place, i) for i in left]
    if channel.is_thread:
        channel.message_count += int(data.get("type") or 0) != _THREAD_STARTER
        changes.append(Change("message", channel.parent_id, place))
    if author == guild.me:
        channel.read_id, channel.mentions = channel.last_message_id, 0
    elif channel.is_dm or calls(data, guild.me):
        channel.mentions += 1
    return tuple(changes)


def _message_changed(guild: Guild, data: Payload, now_s: float) -> Changes:
    found = _find(guild, data)
    if found is None:
        return ()
    guild.channels[int(data["channel_id"])].left.discard(int(data["id"]))
    # an update may carry only what is different, and never says whether the reactions are mine
    found.update({k: v for k, v in data.items() if k != "reactions"})
    return (Change("message", int(data["channel_id"]), int(data["id"])),)


def _message_gone(guild: Guild, data: Payload, now_s: float) -> Changes:
    return _remove(guild, int(data["channel_id"]), [int(data["id"])])


def _messages_gone(guild: Guild, data: Payload, now_s: float) -> Changes:
    return _remove(guild, int(data["channel_id"]), [int(i) for i in data["ids"]])


def _remove(guild: Guild, channel_id: int, ids: Iterable[int]) -> Changes:
    channel = guild.channels.get(channel_id)
    if channel is None:
        return ()
    gone = [i for i in ids if channel.messages.pop(i, None) is not None]
    return tuple(Change("message", channel_id, i) for i in gone)


def _find(guild: Guild, data: Payload) -> Payload | None:
    channel = guild.channels.get(int(data["channel_id"]))
    key = int(data.get("message_id") or data["id"])
    return channel.messages.get(key) if channel else None


def _reaction(
    change: Callable[[list[Payload], Payload, bool], list[Payload]],
) -> Callable[[Guild, Payload, float], Changes]:
    """A handler that puts `change` on the reactions of the message that is named."""

    def handle(guild: Guild, data: Payload, now_s: float) -> Changes:
        found = _find(guild, data)
        if found is None:
            return ()
        mine = int(data.get("user_id") or 0) == guild.me
        found["reactions"] = change(found.get("reactions") or [], data.get("emoji") or {}, mine)
        return (Change("message", int(data["channel_id"]), int(data["message_id"])),)

    return handle


_HANDLERS: Mapping[str, Callable[[Guild, Payload, float], Changes]] = {
    "READY": _ready,
    "GUILD_CREATE": _guild_create,
    "CHANNEL_CREATE": _channel,
    "CHANNEL_UPDATE": _channel,
    "CHANNEL_DELETE": _channel_gone,
    "THREAD_CREATE": _thread,
    "THREAD_UPDATE": _thread,
    "THREAD_DELETE": _channel_gone,
    "GUILD_MEMBER_UPDATE": _member,
    "PRESENCE_UPDATE": _presence,
    "USER_UPDATE": _own_user,
    "GUILD_ROLE_CREATE": _role,
    "GUILD_ROLE_DELETE": _role_gone,
    "TYPING_START": _typing,
    "MESSAGE_CREATE": _message,
    "MESSAGE_UPDATE": _message_changed,
    "MESSAGE_DELETE": _message_gone,
    "MESSAGE_DELETE_BULK": _messages_gone,
    "MESSAGE_REACTION_ADD": _reaction(reactions.added),
    "MESSAGE_REACTION_REMOVE": _reaction(reactions.removed),
    "MESSAGE_REACTION_REMOVE_ALL": _reaction(reactions.cleared),
    "MESSAGE_REACTION_REMOVE_EMOJI": _reaction(reactions.forgotten),
}
