"""What a bot hears, live or fetched after a gap, on its way to the agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.attachments import Reader
from bots.discord.config import DiscordConfig
from bots.discord.directs import Directs
from bots.discord.hearing import Ears
from bots.discord.history import Fetched, History
from bots.discord.lanes import Lanes
from bots.discord.refusals import FAILURES, sentence
from bots.messages import Heard, Place

#: characters of one file that a tool reads
_LONGEST_FILE: Final = 60_000


class Listening:
    """Every message of the guild that is served, and every private one, becomes a line in the order
    of its channel; `ears` must be set before the first one. `serves` says whether what was said in
    a guild is for us.
    """

    def __init__(
        self,
        config: DiscordConfig,
        *,
        serves: Callable[[discord.Message], bool],
        on_heard: Callable[[Heard], None],
        directs: Directs,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._serves = serves
        self._directs = directs
        self._clock = clock
        self._log = log
        self._lanes = Lanes(on_heard)
        self._reader = Reader(config)
        self._history = History(most=config.missed_most, pass_on=self._missed, log=log)
        self.ears: Ears | None = None

    def message(self, message: discord.Message) -> None:
        """One that came over the gateway."""
        if self._is_ours(message) and self._history.is_new(message):
            self._take(message, missed=False)

    def lost(self) -> None:
        """The connection is gone."""
        self._history.lost()

    async def attachment(
        self, client: discord.Client, channel: int, message: str, name: str
    ) -> str | None:
        """As `bots.transport.Transport.attachment`."""
        place = client.get_partial_messageable(channel)
        try:
            found = await place.fetch_message(int(message))
        except (ValueError, *FAILURES) as error:
            self._log.info("discord_attachment_unread", why=sentence(error))
            return None
        named = next((one for one in found.attachments if one.filename == name), None)
        return None if named is None else await self._reader.text_of(named, _LONGEST_FILE)

    async def fetch_missed(
        self, client: discord.Client, guild: discord.Guild | None, key: str, after: str | datetime
    ) -> None:
        """As `DiscordTransport.fetch_missed`."""
        if isinstance(after, datetime):
            after = str(discord.utils.time_snowflake(after))
        kind, _, number = key.partition(":")
        is_id = number.isdecimal() and after.isdecimal()
        if kind not in (Place.CHANNEL, Place.USER) or not is_id:
            self._log.warning("discord_missed_unread", channel=key, why="no id of Discord")
            return
        channel: Fetched
        try:
            if kind == Place.USER:
                opened = await self._directs.channel_to(number, client)
                channel = client.get_partial_messageable(opened)
            else:
                known = guild.get_channel_or_thread(int(number)) if guild else None
                if not isinstance(known, discord.TextChannel | discord.Thread):
                    self._log.warning("discord_missed_unread", channel=key, why="not visible")
                    return
                channel = known
        except FAILURES as error:
            self._log.warning("discord_missed_unread", channel=key, why=sentence(error))
            return
        await self._history.fetch(channel, key, after)
        await self._lanes.settled()

    async def close(self) -> None:
        self._lanes.close()
        await self._reader.close()

    def _missed(self, message: discord.Message) -> None:
        self._take(message, missed=True)

    def _take(self, message: discord.Message, *, missed: bool) -> None:
        assert self.ears is not None
        heard = self.ears.heard(message, self._clock(), missed=missed)
        if heard is None:
            return
        if self._reader.is_needed(message.attachments):
            self._lanes.take(heard, self._reader.read(message.attachments))
            return
        parts = (heard.text, self._reader.labels(message.attachments))
        self._lanes.take(replace(heard, text="\n".join(part for part in parts if part)))

    def _is_ours(self, message: discord.Message) -> bool:
        return message.guild is None or self._serves(message)
