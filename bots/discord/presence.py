"""Health that people see: online, idle or do not disturb, with a word about it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, sentence
from storage.tables import AgentState

#: Discord takes 5 presence updates in 20 seconds
_MOST, _WITHIN_S = 5, 20.0
_SHOWN = {
    AgentState.READY: (discord.Status.online, ""),
    AgentState.KILLED: (discord.Status.dnd, "killed by an operator"),
    AgentState.FAILED: (discord.Status.dnd, "failed"),
    AgentState.DEAF: (discord.Status.idle, "hears nothing"),
    AgentState.DEGRADED: (discord.Status.idle, "not quite well"),
}
_STARTING = (discord.Status.idle, "starting")


class Presence:
    """`show` what is so; it is sent when it changed, and goes with every IDENTIFY."""

    def __init__(
        self, client: Callable[[], discord.Client | None], log: FilteringBoundLogger
    ) -> None:
        self._client = client
        self._log = log
        self._wanted = _STARTING
        self._shown: tuple[discord.Status, str] | None = None
        self._sent: deque[float] = deque(maxlen=_MOST)
        self._task: asyncio.Task[None] | None = None

    def show(self, state: AgentState) -> None:
        self._wanted = _SHOWN.get(state, _STARTING)
        client = self._client()
        if client is not None:
            self.dress(client)
            self._catch_up()

    def dress(self, client: discord.Client) -> None:
        """Let the next IDENTIFY of `client` carry what is wanted now."""
        client.status, client.activity = self._wanted[0], _activity(self._wanted[1])

    def identified(self) -> None:
        """A new session began; it shows what its IDENTIFY carried, which may be old by now."""
        self._shown = None
        self._catch_up()

    def resumed(self) -> None:
        self._catch_up()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _catch_up(self) -> None:
        if self._wanted != self._shown and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._wanted != self._shown:
            if len(self._sent) == _MOST:
                await asyncio.sleep(max(0.0, self._sent[0] + _WITHIN_S - time.monotonic()))
            client, wanted = self._client(), self._wanted
            if client is None or not client.is_ready() or client.ws is None:
                return  # the next session catches up
            try:
                await client.change_presence(status=wanted[0], activity=_activity(wanted[1]))
            except (discord.ConnectionClosed, *FAILURES) as error:
                self._log.info("discord_presence_missed", why=sentence(error))
                return
            self._shown = wanted
            self._sent.append(time.monotonic())


def _activity(words: str) -> discord.CustomActivity | None:
    return discord.CustomActivity(words) if words else None
