"""What was said while nobody listened: fetched oldest first, each message once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, sentence

_REMEMBERED = 2_000
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
        self._live: OrderedDict[int, int] = OrderedDict()
        self._fetched: OrderedDict[int, int] = OrderedDict()
        #: channel → newest message that came live
        self._newest: OrderedDict[int, int] = OrderedDict()
        #: the same, when the connection was lost
        self._before_gap: dict[int, int] = {}

    def is_new(self, message: discord.Message) -> bool:
        """Take note of a message that came live; False when it was fetched already."""
        _remember(self._live, message.id, message.channel.id)
        _remember(self._newest, message.channel.id, message.id)
        return message.id not in self._fetched

    def lost(self) -> None:
        """The connection is gone: from here on something may be missed."""
        self._before_gap = dict(self._newest)

    async def fetch(self, channel: Fetched, name: str, after: str) -> bool:
        """True when everything after the message `after` was passed on.

        `after` may be newer than the gap, where a line came live before anybody asked for what was
        missed; then the gap's own beginning counts.
        """
        count, begin = 0, int(after)
        begin = min(begin, self._before_gap.get(channel.id, begin))
        try:
            async for message in channel.history(
                limit=self._most + 1, after=discord.Object(begin), oldest_first=True
            ):
                count += 1
                if count > self._most:
                    says = f"more than {self._most} messages were missed; newer ones are left out"
                    self._log.warning("discord_missed_too_many", channel=name, why=says)
                    return False
                if message.id not in self._live:
                    _remember(self._fetched, message.id, channel.id)
                    self._pass_on(message)
        except (ValueError, *FAILURES) as error:
            self._log.warning("discord_missed_unread", channel=name, why=sentence(error))
            return False
        if count:
            self._log.info("discord_missed_read", channel=name, messages=count)
        return True


def _remember(known: OrderedDict[int, int], key: int, value: int) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
