"""A Discord message becomes one heard line, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import discord

from bots.discord.directs import Directs
from bots.discord.readable import one_line, readable, stranger, without_addresses
from bots.messages import Heard, Place, Target
from storage.tables import LineKind

#: what people and bots say; joins, pins, boosts and the like are the guild's own notes
TALK = frozenset(
    {
        discord.MessageType.default,
        discord.MessageType.reply,
        discord.MessageType.chat_input_command,
        discord.MessageType.context_menu_command,
    }
)


@dataclass(frozen=True)
class Ears:
    """What is needed to understand a message: who is who."""

    network: str
    #: own user id
    me: str
    #: user id → agent
    agents: Mapping[str, str]
    directs: Directs

    def heard(
        self, message: discord.Message, at: datetime, *, missed: bool = False
    ) -> Heard | None:
        """`message` as a line that was read `at`; None when it is no talk, or a private line of
        ours to nobody knows whom. An edit is no new line: what was answered stays answered.
        """
        if message.type not in TALK or message.flags.ephemeral or message.flags.loading:
            return None
        where = self._where(message)
        text = self._text(message)
        if where is None or not (text or message.attachments):
            return None
        author = str(message.author.id)
        is_bot = message.author.bot or message.webhook_id is not None
        return Heard(
            network=self.network,
            where=where,
            sender=self.name_of(message.author),
            kind=LineKind.SAID,
            text=text,
            heard_at=at,
            account=author,
            said_at=message.created_at,
            msgid=str(message.id),
            is_bot=is_bot,
            is_own=author == self.me,
            answers=None if is_bot else self._answered(message),
            missed=missed,
        )

    def name_of(self, author: discord.abc.User) -> str:
        """An agent by the name its bot has; anybody else's name never equals an agent's."""
        if str(author.id) in self.agents:
            return author.name
        return stranger(author.name, self.agents)

    def _where(self, message: discord.Message) -> Target | None:
        channel = str(message.channel.id)
        if message.guild is not None:
            return Target(self.network, Place.CHANNEL, channel)
        author = str(message.author.id)
        if author != self.me:
            self.directs.remember(author, channel)
            return Target(self.network, Place.USER, author)
        partner = self.directs.person_behind(channel)
        return Target(self.network, Place.USER, partner) if partner else None

    def _text(self, message: discord.Message) -> str:
        guild = message.guild
        text = readable(
            message.content,
            agents=self.agents,
            users={str(user.id): user.name for user in message.mentions},
            roles={str(r.id): r.name for r in message.role_mentions},
            channels={str(c.id): c.name for c in message.channel_mentions} if guild else {},
        )
        stickers = [f"[sticker {one_line(sticker.name)}]" for sticker in message.stickers]
        forwarded = [
            f"[forwarded]\n{without_addresses(snapshot.content, self.agents)}"
            for snapshot in message.message_snapshots
        ]
        return "\n".join(part for part in (text, *stickers, *forwarded) if part)

    def _answered(self, message: discord.Message) -> str | None:
        """The agent that a person's reply pinged: it stands among the mentions without being
        mentioned in the text.
        """
        if message.type is not discord.MessageType.reply:
            return None
        pinged = {str(user.id) for user in message.mentions}
        resolved = message.reference.resolved if message.reference else None
        if isinstance(resolved, discord.Message):
            author = str(resolved.author.id)
            return self.agents.get(author) if author in pinged else None
        inline = {str(one) for one in message.raw_mentions}
        return next(
            (self.agents[one] for one in sorted(pinged - inline) if one in self.agents), None
        )
