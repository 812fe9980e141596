"""The sandbox guild's state, who may see what of it, and the one place where it tells of changes.

What changes it lives beside it, a noun a file: channels, threads, messages, reactions, members,
commands, interactions. Each ends by `World.publish`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

from bots.clock import utc_now
from bots.sandbox import payloads, permissions
from bots.sandbox.events import Event, Intent
from bots.sandbox.interactions import Interaction
from bots.sandbox.model import Attachment, Channel, ChannelType, Message, Role, User
from bots.sandbox.permissions import Permission
from bots.sandbox.snowflake import Snowflakes, named
from bots.sandbox.starts import SessionStarts

Listener = Callable[[Event], None]
#: runs an action in so many seconds
Schedule = Callable[[float, Callable[[], None]], object]


def call_later(delay_s: float, action: Callable[[], None]) -> object:
    """Run `action` in `delay_s` on the running event loop."""
    return asyncio.get_running_loop().call_later(delay_s, action)


class World:
    """One guild, its people and bots, and the DMs between them, in memory."""

    def __init__(
        self,
        name: str,
        *,
        starts: SessionStarts,
        clock: Callable[[], datetime] = utc_now,
        schedule: Schedule = call_later,
    ) -> None:
        self.name = name
        self.clock = clock
        #: how often a bot may still IDENTIFY; the gateway counts it
        self.starts = starts
        self.guild_id = named("guild", name)
        self.snowflakes = Snowflakes(clock)
        #: where the server listens, for the links of attachments; set once it does
        self.base_url = "http://127.0.0.1"
        self.founded_at = clock()
        self.users: dict[int, User] = {}
        #: whom the guild belongs to: its first operator, or its first person
        self.owner: User | None = None
        self.roles: dict[int, Role] = {}
        #: guild channels, threads and DMs
        self.channels: dict[int, Channel] = {}
        self.attachments: dict[int, Attachment] = {}
        #: (application, guild or None) → command id → command, as it is shown
        self.commands: dict[tuple[int, int | None], dict[int, dict[str, Any]]] = {}
        #: application → (day, commands created on it)
        self.commands_created: dict[int, tuple[date, int]] = {}
        #: by token, oldest first
        self.interactions: dict[str, Interaction] = {}
        #: (author, nonce) → what was sent under it, oldest first
        self.nonces: dict[tuple[int, str | int], Message] = {}
        self.schedule = schedule
        self._by_token: dict[str, User] = {}
        self._listeners: list[Listener] = []

    # --- telling ----------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Tell every listener at once, in the order of what happened."""
        for listener in self._listeners:
            listener(event)

    # --- finding ----------------------------------------------------------------------------

    def enrol(self, user: User) -> None:
        """Let a person or a bot in.

        :raises ValueError: its token or id is already somebody's
        """
        if user.id in self.users or user.token in self._by_token:
            raise ValueError(f"{user.name}: this token or id already belongs to somebody else")
        self.users[user.id] = user
        self._by_token[user.token] = user

    def user_by_token(self, token: str) -> User | None:
        """Who holds `token` (without the prefix ``Bot``)."""
        return self._by_token.get(token)

    def guild_channels(self) -> Iterator[Channel]:
        return (c for c in self.channels.values() if not c.is_dm and not c.is_thread)

    def threads(self) -> Iterator[Channel]:
        return (c for c in self.channels.values() if c.is_thread)

    def attachment(self, channel_id: int, attachment_id: int) -> Attachment | None:
        """The file of a message that still stands."""
        found = self.attachments.get(attachment_id)
        return found if found and found.channel_id == channel_id else None

    def forget_files(self, messages: Iterable[Message]) -> None:
        """The files of `messages`, which are gone, can be fetched no more."""
        for message in messages:
            for file in message.attachments:
                self.attachments.pop(file.id, None)

    # --- seeing -----------------------------------------------------------------------------

    def guild_permissions(self, user: User) -> Permission:
        held = [self.roles[self.guild_id], *(self.roles[r] for r in user.role_ids)]
        return permissions.in_guild((r.permissions for r in held), owner=user is self.owner)

    def permissions(self, user: User, channel: Channel) -> Permission:
        """What `user` may do in `channel`; a thread has its parent's rules."""
        if channel.is_dm:
            return permissions.DIRECT if user in channel.recipients else Permission(0)
        ruling = channel
        if channel.is_thread and channel.parent_id is not None:
            ruling = self.channels[channel.parent_id]
        bits = permissions.in_channel(
            self.guild_permissions(user),
            ruling.overwrites,
            everyone_id=self.guild_id,
            role_ids=user.role_ids,
            user_id=user.id,
        )
        private = channel.type == ChannelType.PRIVATE_THREAD
        if private and user.id not in channel.members and Permission.MANAGE_THREADS not in bits:
            return Permission(0)
        return bits

    def can_view(self, user: User, channel_id: int) -> bool:
        channel = self.channels.get(channel_id)
        return channel is not None and Permission.VIEW_CHANNEL in self.permissions(user, channel)

    def lists(self, user: User, channel: Channel) -> bool:
        """Whether `channel` is named to `user`: bots get every guild channel, as on Discord."""
        return (user.bot and not channel.is_thread) or self.can_view(user, channel.id)

    def withholds(self, message: Message, viewer: User) -> bool:
        """Whether a viewer without the Message Content intent gets `message` emptied.

        Never in DMs, of its own messages and of messages that mention it (Discord's
        documentation, "Message Content Intent"); people always read.
        """
        if not viewer.bot or message.author is viewer or viewer in message.mentions:
            return False
        channel = self.channels.get(message.channel_id)
        return not (channel and channel.is_dm) and message.only_for is None

    # --- showing ----------------------------------------------------------------------------

    def member_payload(self, user: User) -> dict[str, Any]:
        return payloads.member(user, joined_at=self.founded_at)

    def guild_payload(self, viewer: User) -> dict[str, Any]:
        """GUILD_CREATE's `d`: what `viewer` may know of the guild when it comes."""
        return payloads.guild_create(self, viewer)

    # --- being there ------------------------------------------------------------------------

    def connected(self, user: User, status: str, activities: list[dict[str, Any]]) -> None:
        """A gateway session of `user` begins, and shows it so; the first makes it appear."""
        user.connections += 1
        if user.connections == 1 or (status, activities) != ("online", []):
            self.set_presence(user, status, activities)

    def disconnected(self, user: User) -> None:
        """A gateway session of `user` is over; the last makes it go offline."""
        user.connections = max(0, user.connections - 1)
        if user.connections == 0:
            self.set_presence(user, "offline", [])

    def set_presence(self, user: User, status: str, activities: list[dict[str, Any]]) -> None:
        """What `user` shows of itself; ``invisible`` looks like ``offline`` to the others."""
        user.status = "offline" if status == "invisible" else status
        user.activities = activities
        payload = {**payloads.presence(user), "guild_id": str(self.guild_id)}
        self.publish(
            Event(name="PRESENCE_UPDATE", payload=lambda _: payload, intent=Intent.GUILD_PRESENCES)
        )
