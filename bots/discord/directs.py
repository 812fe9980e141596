"""Private conversations: which DM channel leads to whom. A bot is not told, it has to remember."""

from __future__ import annotations

from collections import OrderedDict

import discord

_REMEMBERED = 1_000


class Directs:
    """DM channels by their person and persons by their DM channel, ids as strings."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, str] = OrderedDict()
        self._people: dict[str, str] = {}

    def remember(self, person: str, channel: str) -> None:
        """`channel` leads to `person`."""
        self._channels[person] = channel
        self._channels.move_to_end(person)
        self._people[channel] = person
        if len(self._channels) > _REMEMBERED:
            _, oldest = self._channels.popitem(last=False)
            self._people.pop(oldest, None)

    def person_behind(self, channel: str) -> str | None:
        return self._people.get(channel)

    async def channel_to(self, person: str, client: discord.Client) -> int:
        """The DM channel to `person`, opened if it is not known; Discord's refusals are raised as
        discord.py raises them. Opening one shows nothing to anybody.
        """
        known = self._channels.get(person)
        if known is None:
            opened = await client.http.start_private_message(int(person))
            known = str(opened["id"])
            self.remember(person, known)
        return int(known)
