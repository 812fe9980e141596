"""One bot's logins, one after the other: each lasts as long as Discord and the network let it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import aiohttp
import discord
from structlog.typing import FilteringBoundLogger

from bots.discord import condition
from bots.discord.client import Events, SwarmClient, point_at
from bots.discord.config import DiscordConfig
from bots.discord.identify import IdentifyBudget
from bots.discord.refusals import FAILURES, STRANGE, sentence
from bots.irc.backoff import delay_s


class Life:
    """`run` until `stop`, or until it makes no sense any more: then `fatal` says why."""

    def __init__(
        self,
        config: DiscordConfig,
        events: Events,
        *,
        before_login: Callable[[discord.Client], None],
        after_login: Callable[[discord.ClientUser], None],
        clock: Callable[[], datetime],
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        self._config = config
        self._events = events
        self._before_login = before_login
        self._after_login = after_login
        self._clock = clock
        self._rng = rng
        self._log = log
        most = config.identifies_a_day - config.identifies_kept
        self._budget = IdentifyBudget(config.identify_file, most)
        self._task: asyncio.Task[None] | None = None
        self._is_logged_in = False
        self._client: SwarmClient | None = None
        self.application_id: int | None = None
        self.fatal = ""

    @property
    def client(self) -> SwarmClient | None:
        """The client that is logged in, connected or not."""
        return self._client if self._is_logged_in else None

    async def run(self) -> None:
        point_at(self._config.api_base, self._config.gateway)
        self._task = task = asyncio.create_task(self._logins())
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def stop(self) -> None:
        """Close the connection; `run` returns soon after."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _logins(self) -> None:
        attempt = 0
        while True:
            began_s = time.monotonic()
            why = await self._login()
            if self.fatal:
                self._log.warning("discord_given_up", why=self.fatal)
                return
            config = self._config
            attempt = 0 if time.monotonic() - began_s >= config.steady_s else attempt
            wait_s = delay_s(
                attempt,
                first_s=config.reconnect_first_s,
                most_s=config.reconnect_most_s,
                rng=self._rng,
            )
            attempt += 1
            self._events.lost(why, wait_s)
            await asyncio.sleep(wait_s)

    async def _login(self) -> str:
        """One login, for as long as it lasts; why it ended, unless that is `fatal`."""
        config = self._config
        self._client = client = SwarmClient(
            config, self._events, self._budget, clock=self._clock, rng=self._rng, log=self._log
        )
        self._before_login(client)
        try:
            async with asyncio.timeout(config.connect_s):
                await client.login(config.token.get_secret_value())
            assert client.user is not None
            self.application_id = client.application_id
            self._is_logged_in = True
            self._after_login(client.user)
            await client.connect()
        except discord.LoginFailure:
            self.fatal = condition.wrong_token(config.agent)
        except discord.ConnectionClosed as error:
            self.fatal = condition.closed_for_good(error.code, config.agent, self.application_id)
        except FAILURES as error:
            return f"It cannot log in: {sentence(error)}."
        except STRANGE as error:
            self._log.warning("discord_strange_answer", error=repr(error))
            return f"It cannot log in: {sentence(error)}."
        finally:
            self._is_logged_in = False
            await _close(client, config.close_s)
        return "Its connection ended."


async def _close(client: SwarmClient, most_s: float) -> None:
    """A dead socket may not keep us; its session ends at Discord by itself."""
    with suppress(OSError, aiohttp.ClientError):
        async with asyncio.timeout(most_s):
            await client.close()
    if client.http.token is not None:
        await client.http.close()
