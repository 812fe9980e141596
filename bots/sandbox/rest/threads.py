"""Threads: opening them, their members, the sleeping ones."""

from __future__ import annotations

from typing import Any

from bots.sandbox import message_payloads, messages, payloads, threads
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems
from bots.sandbox.model import Channel, ChannelType, Message, MessageType, User
from bots.sandbox.permissions import Permission
from bots.sandbox.rest.call import Call, Reply
from bots.sandbox.rest.table import Table
from bots.sandbox.world import World

table = Table()

_CHANNEL = "/channels/{channel_id}"
_MEMBERS = _CHANNEL + "/thread-members"
#: minutes without a message after which a thread may go to sleep
_DURATIONS = (60, 1440, 4320, 10080)


def _drafted(form: Form, parent: Channel, thread_id: int, kind: ChannelType) -> Channel:
    form.require("name")
    return Channel(
        id=thread_id,
        type=kind,
        parent_id=parent.id,
        name=form.text("name", least=1, most=100),
        auto_archive_min=form.choice("auto_archive_duration", _DURATIONS, default=1440),
        slowmode_s=form.integer("rate_limit_per_user", least=0, most=21_600),
        invitable=form.flag("invitable", default=True),
    )


@table.route("POST", _CHANNEL + "/messages/{message_id}/threads", bucket="threads")
async def open_on_message(call: Call) -> Any:
    """A public thread on a message, whose id it takes."""
    world = call.world
    parent = call.channel(Permission.CREATE_PUBLIC_THREADS)
    message = call.message(parent)
    if parent.type != ChannelType.TEXT:
        raise refusal(50024)
    if message.thread_id is not None:
        raise refusal(160004)
    problems = Problems()
    form = Form(await call.body(), problems)
    thread = _drafted(form, parent, message.id, ChannelType.PUBLIC_THREAD)
    problems.check()
    threads.open_thread(world, thread, call.user, on=message)
    messages.updated(world, parent, message)
    starter = _notice(world, thread, message.author, MessageType.THREAD_STARTER)
    starter.referenced = message
    starter.reference = message_payloads.reference(world, message)
    messages.put(world, thread, starter)
    return Reply(201, payloads.channel(thread, world.guild_id, call.user))


@table.route("POST", _CHANNEL + "/threads", bucket="threads")
async def open_alone(call: Call) -> Any:
    """A thread without a message: private (type 12, the default) or public (type 11)."""
    world, parent, problems = call.world, call.channel(), Problems()
    form = Form(await call.body(), problems)
    kinds = (ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD)
    kind = ChannelType(form.choice("type", kinds, default=ChannelType.PRIVATE_THREAD))
    thread = _drafted(form, parent, world.snowflakes.next(), kind)
    problems.check()
    if parent.type != ChannelType.TEXT:
        raise refusal(50024)
    public = kind == ChannelType.PUBLIC_THREAD
    call.channel(Permission.CREATE_PUBLIC_THREADS if public else Permission.CREATE_PRIVATE_THREADS)
    threads.open_thread(world, thread, call.user)
    if public:
        told = _notice(world, parent, call.user, MessageType.THREAD_CREATED)
        told.content = thread.name
        told.reference = message_payloads.placed(world, thread.id)
        messages.put(world, parent, told)
    return Reply(201, payloads.channel(thread, world.guild_id, call.user))


def _notice(world: World, channel: Channel, author: User, kind: MessageType) -> Message:
    """A message that the server writes itself."""
    return Message(
        id=world.snowflakes.next(),
        channel_id=channel.id,
        author=author,
        content="",
        created_at=world.clock(),
        type=kind,
    )


def change_thread(call: Call, thread: Channel, body: dict[str, Any]) -> None:
    """PATCH channels/{id} of a thread.

    :raises ApiError: 50013; who may send can wake it, its opener may rename it and send it to
        sleep, the rest needs MANAGE_THREADS
    """
    world, problems = call.world, Problems()
    form = Form(body, problems)
    name = form.text("name", least=1, most=100, default=thread.name)
    sleeps = form.flag("archived", default=thread.archived)
    locked = form.flag("locked", default=thread.locked)
    minutes = form.choice("auto_archive_duration", _DURATIONS, default=thread.auto_archive_min)
    slowmode_s = form.integer(
        "rate_limit_per_user", least=0, most=21_600, default=thread.slowmode_s
    )
    problems.check()
    held = world.permissions(call.user, thread)
    if Permission.MANAGE_THREADS not in held:
        waking = set(body) <= {"archived"} and not sleeps and not thread.locked
        own = thread.owner_id == call.user.id and not thread.locked
        guarded = locked != thread.locked or slowmode_s != thread.slowmode_s
        if not (own or waking) or guarded:
            raise refusal(50013)
        if Permission.SEND_MESSAGES_IN_THREADS not in held:
            raise refusal(50013)
    if sleeps != thread.archived:
        thread.archive_changed_at = world.clock()
    if minutes != thread.auto_archive_min or (thread.archived and not sleeps):
        thread.active_at = world.clock()
    thread.name, thread.archived, thread.locked = name, sleeps, locked
    thread.auto_archive_min, thread.slowmode_s = minutes, slowmode_s
    threads.updated(world, thread)


def delete_thread(call: Call, thread: Channel) -> None:
    """:raises ApiError: 50013, without MANAGE_THREADS"""
    call.channel(Permission.MANAGE_THREADS)
    threads.delete(call.world, thread)


def _thread(call: Call) -> Channel:
    thread = call.channel()
    if not thread.is_thread:
        raise refusal(50024)
    return thread


def _awake(call: Call) -> Channel:
    thread = _thread(call)
    if thread.archived:
        raise refusal(50083)
    return thread


@table.route("PUT", _MEMBERS + "/@me")
async def join(call: Call) -> Any:
    threads.join(call.world, _awake(call), call.user)


@table.route("DELETE", _MEMBERS + "/@me")
async def leave(call: Call) -> Any:
    threads.leave(call.world, _awake(call), call.user)


@table.route("GET", _MEMBERS)
async def list_members(call: Call) -> Any:
    thread = _thread(call)
    return [payloads.thread_member(thread, u) for u in thread.members]


@table.route("GET", _MEMBERS + "/{user_id}")
async def get_member(call: Call) -> Any:
    thread, user_id = _thread(call), call.id("user_id")
    if user_id not in thread.members:
        raise refusal(10007)
    return payloads.thread_member(thread, user_id)


def _named(call: Call) -> User:
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise refusal(10013)
    return user


@table.route("PUT", _MEMBERS + "/{user_id}")
async def add_member(call: Call) -> Any:
    threads.join(call.world, _awake(call), _named(call), invited=True)


@table.route("DELETE", _MEMBERS + "/{user_id}")
async def remove_member(call: Call) -> Any:
    thread = _awake(call)
    own = thread.type == ChannelType.PRIVATE_THREAD and thread.owner_id == call.user.id
    if not own:
        call.channel(Permission.MANAGE_THREADS)
    threads.leave(call.world, thread, _named(call))


@table.route("GET", "/guilds/{guild_id}/threads/active")
async def list_active(call: Call) -> Any:
    call.guild()
    threads.put_to_sleep(call.world)
    awake = (t for t in call.world.threads() if not t.archived)
    return _shown(call, [t for t in awake if call.world.can_view(call.user, t.id)])


@table.route("GET", _CHANNEL + "/threads/archived/public")
async def list_sleeping_public(call: Call) -> Any:
    return _sleeping(call, ChannelType.PUBLIC_THREAD)


@table.route("GET", _CHANNEL + "/threads/archived/private")
@table.route("GET", _CHANNEL + "/users/@me/threads/archived/private")
async def list_sleeping_private(call: Call) -> Any:
    """Those that the caller may see: its own, or all with MANAGE_THREADS."""
    return _sleeping(call, ChannelType.PRIVATE_THREAD)


def _sleeping(call: Call, kind: ChannelType) -> dict[str, Any]:
    """The last one that fell asleep first, as Discord lists them."""
    parent = call.channel(Permission.READ_MESSAGE_HISTORY)
    threads.put_to_sleep(call.world)
    found = [
        t
        for t in call.world.threads()
        if t.parent_id == parent.id and t.archived and t.type == kind
    ]
    visible = [t for t in found if call.world.can_view(call.user, t.id)]
    visible.sort(key=lambda t: t.archive_changed_at or call.world.founded_at, reverse=True)
    return _shown(call, visible) | {"has_more": False}


def _shown(call: Call, found: list[Channel]) -> dict[str, Any]:
    user = call.user
    return {
        "threads": [payloads.channel(t, call.world.guild_id, user) for t in found],
        "members": [payloads.thread_member(t, user.id) for t in found if user.id in t.members],
    }
