"""What was said while nobody listened: fetched oldest first, each message once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, sentence

_REMEMBERED = 2_000
#: before another try to read what was missed
_PAUSES_S = (1.0, 5.0, 20.0)
T = TypeVar("T")
Fetched = discord.TextChannel | discord.Thread | discord.PartialMessageable


class History:
    """Fetches a channel's messages after one that is known; what came live meanwhile, and what was
    fetched before it came, is passed on once.
    """

    def __init__(
        self, *, most: int, pass_on: Callable[[discord.Message], None], log: FilteringBoundLogger
    ) -> None:
        self._most = most
        self._pass_on = pass_on
        self._log = log
        self._live: OrderedDict[int, None] = OrderedDict()
        self._fetched: OrderedDict[int, None] = OrderedDict()
        #: channel → newest message that came live
        self._newest: OrderedDict[int, int] = OrderedDict()
        #: the same, when the connection was lost
        self._before_gap: dict[int, int] = {}

    def is_new(self, message: discord.Message) -> bool:
        """Take note of a message that came live; False when it was fetched already."""
        _remember(self._live, message.id, None)
        _remember(self._newest, message.channel.id, message.id)
        return message.id not in self._fetched

    def lost(self) -> None:
        """The connection is gone: from here on something may be missed."""
        self._before_gap = dict(self._newest)

    async def fetch(self, channel: Fetched, name: str, after: str) -> None:
        """Pass on everything after the message `after`, page by page; what cannot be had is logged.

        `after` may be newer than the gap, where a line came live before anybody asked for what was
        missed; then the gap's own beginning counts.
        """
        begin = int(after)
        gap = _Gap(min(begin, self._before_gap.get(channel.id, begin)))
        for pause_s in (*_PAUSES_S, None):
            try:
                await self._read(channel, gap)
                break
            except (ValueError, *FAILURES) as error:
                if pause_s is None or not _may_pass(error):
                    self._log.warning("discord_missed_unread", channel=name, why=sentence(error))
                    return
                await asyncio.sleep(pause_s)
        if gap.count:
            self._log.info("discord_missed_read", channel=name, messages=gap.count)
        if gap.left_out_at is not None:
            says = (
                f"more than {self._most} messages were missed: what was said from "
                f"{gap.left_out_at:%Y-%m-%d %H:%M:%S} UTC until it came back is left out"
            )
            self._log.warning("discord_missed_too_many", channel=name, why=says)

    async def _read(self, channel: Fetched, gap: _Gap) -> None:
        """From where the last try ended."""
        async for message in channel.history(
            limit=self._most + 1 - gap.count, after=discord.Object(gap.begin), oldest_first=True
        ):
            if gap.count == self._most:
                gap.left_out_at = message.created_at
                return
            gap.count += 1
            if message.id not in self._live:
                _remember(self._fetched, message.id, None)
                self._pass_on(message)
            gap.begin = message.id


@dataclass
class _Gap:
    """What was missed in one channel, as far as it has been read."""

    #: the last message before what is still to be read
    begin: int
    count: int = 0
    #: when the first message was said that was one too many
    left_out_at: datetime | None = None


def _may_pass(error: BaseException) -> bool:
    """Whether another try may end otherwise."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return not isinstance(error, ValueError)


def _remember(known: OrderedDict[int, T], key: int, value: T) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
