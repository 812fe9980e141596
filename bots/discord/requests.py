"""One request to Discord that shows something to people: barred while Discord says wait, repeated
where that cannot double anything, bounded in time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
import discord

T = TypeVar("T")
#: longest wait for a 429 that discord.py leaves to us (it has no ``Via`` header: an outer wall)
_MOST_WAIT_S = 10.0
_PAUSES_S = (0.2, 1.0)
#: a timer may fire this much early
_CLOCK_S = 0.01


class Barred(discord.DiscordException):
    """Discord answered 429 for all of us; until then nothing is asked, for 10,000 refused requests
    within 10 minutes bar the machine.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Discord wants it to wait {wait_s:.0f} s")


class Requests:
    """`once` and `again` run a request that discord.py makes; its refusals are raised."""

    def __init__(self, *, most_s: float) -> None:
        self._most_s = most_s
        self._barred_until_s = 0.0

    async def once(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask; a 429 without discord.py's help is waited for once, when it is short.

        Raises `Barred`, or what `refusals.FAILURES` names.
        """
        async with asyncio.timeout(self._most_s):
            try:
                return await self._ask(ask)
            except discord.HTTPException as error:
                if error.status != 429 or (wait_s := _wait_s(error)) > _MOST_WAIT_S:
                    raise
                await asyncio.sleep(wait_s + _CLOCK_S)
                return await self._ask(ask)

    async def again(self, ask: Callable[[], Awaitable[T]]) -> T:
        """As `once`, and once more when the connection dies: for requests whose nonce, or whose
        nature, makes a second one harmless.
        """
        died = False
        for pause_s in (*_PAUSES_S, None):
            try:
                return await self.once(ask)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if not died and isinstance(error, aiohttp.ClientConnectorError):
                    # Nothing has left: another time is as good.
                    raise
                died = True
                if pause_s is None:
                    # Not the error itself: an earlier try may have arrived.
                    raise aiohttp.ClientConnectionError(str(error)) from error
                await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        left_s = self._barred_until_s - time.monotonic()
        if left_s > 0:
            raise Barred(left_s)
        try:
            return await ask()
        except discord.HTTPException as error:
            if error.status == 429:
                self._barred_until_s = time.monotonic() + _wait_s(error)
            raise


def _wait_s(error: discord.HTTPException) -> float:
    """``Retry-After``, in seconds; a minute where Discord does not say."""
    try:
        return max(0.0, float(error.response.headers.get("Retry-After", "")))
    except ValueError:
        return 60.0
