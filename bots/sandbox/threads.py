"""Threads: opening, joining, leaving, sleeping and waking (Discord's documentation, "Threads")."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bots.sandbox import payloads
from bots.sandbox.events import Event, Intent
from bots.sandbox.model import Channel, Message, MessageFlag, User
from bots.sandbox.world import World


def open_thread(world: World, thread: Channel, owner: User, *, on: Message | None = None) -> None:
    """Let `thread` exist; `on` is the message it was opened on, whose id it has."""
    now = world.clock()
    thread.owner_id = owner.id
    thread.opened_at = thread.archive_changed_at = thread.active_at = now
    thread.members[owner.id] = now
    world.channels[thread.id] = thread
    if on is not None:
        on.thread_id = thread.id
        on.flags |= MessageFlag.HAS_THREAD
    _tell(world, "THREAD_CREATE", thread, {"newly_created": True})


def _tell(
    world: World,
    name: str,
    thread: Channel,
    extra: dict[str, Any] | None = None,
    *,
    to: frozenset[int] | None = None,
) -> None:
    world.publish(
        Event(
            name=name,
            payload=lambda viewer: payloads.channel(thread, world.guild_id, viewer) | (extra or {}),
            channel_id=thread.id,
            to=to,
            intent=Intent.GUILDS,
        )
    )


def updated(world: World, thread: Channel) -> None:
    _tell(world, "THREAD_UPDATE", thread)


def put_to_sleep(world: World) -> None:
    """Archive the threads that were silent for as long as they may be, the longest silent first."""
    now = world.clock()
    awake = ((_sleeps_at(t), t) for t in world.threads() if not t.archived)
    due = [(at, t) for at, t in awake if at is not None and at <= now]
    for at, thread in sorted(due, key=lambda one: one[0]):
        thread.archived = True
        thread.archive_changed_at = at
        updated(world, thread)


def _sleeps_at(thread: Channel) -> datetime | None:
    if thread.active_at is None:
        return None
    return thread.active_at + timedelta(minutes=thread.auto_archive_min)


def spoken_in(world: World, thread: Channel) -> None:
    """A message is activity, and opens a sleeping thread again unless it is locked."""
    thread.active_at = world.clock()
    if thread.archived and not thread.locked:
        thread.archived = False
        thread.archive_changed_at = thread.active_at
        updated(world, thread)


def join(world: World, thread: Channel, user: User, *, invited: bool = False) -> None:
    """`user` sits in `thread` from now on; nothing happens if it does already.

    Only by invitation does anybody enter a private thread that it does not see, and nobody a
    thread in a channel that it does not see.
    """
    if user.id in thread.members or not (invited or world.can_view(user, thread.id)):
        return
    if thread.parent_id is None or not world.can_view(user, thread.parent_id):
        return
    seen_before = world.can_view(user, thread.id)
    thread.members[user.id] = world.clock()
    if not seen_before:
        _tell(world, "THREAD_CREATE", thread, to=frozenset({user.id}))
    _members_changed(world, thread, added=user)


def leave(world: World, thread: Channel, user: User) -> None:
    if user.id in thread.members:
        del thread.members[user.id]
        _members_changed(world, thread, removed=user)


def _members_changed(
    world: World, thread: Channel, *, added: User | None = None, removed: User | None = None
) -> None:
    """Every session hears of its own user; others' comings want the members intent."""
    told: dict[str, Any] = {
        "id": str(thread.id),
        "guild_id": str(world.guild_id),
        "member_count": min(50, len(thread.members)),
        "added_members": [],
        "removed_member_ids": [],
    }
    if added is not None:
        shown = payloads.thread_member(thread, added.id)
        told["added_members"] = [shown | {"member": world.member_payload(added), "presence": None}]
    if removed is not None:
        told["removed_member_ids"] = [str(removed.id)]
    moved = added or removed
    assert moved is not None
    others = frozenset(world.users) - {moved.id}
    for to, intent in ((frozenset({moved.id}), Intent.GUILDS), (others, Intent.GUILD_MEMBERS)):
        world.publish(
            Event(
                name="THREAD_MEMBERS_UPDATE",
                payload=lambda _: told,
                channel_id=thread.id if to is others else None,
                to=to,
                intent=intent,
            )
        )


def delete(world: World, thread: Channel) -> None:
    """Remove `thread` and all in it."""
    told = {
        "id": str(thread.id),
        "guild_id": str(world.guild_id),
        "parent_id": payloads.optional_id(thread.parent_id),
        "type": int(thread.type),
    }
    world.publish(
        Event(
            name="THREAD_DELETE",
            payload=lambda _: told,
            channel_id=thread.id,
            intent=Intent.GUILDS,
        )
    )
    del world.channels[thread.id]
    world.forget_files(thread.messages.values())
