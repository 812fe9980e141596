"""One agent's slash commands, put together: only an agent on Discord imports this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import discord
from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.discord import GuildTransport
from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.discord.answers import Answers
from bots.discord.approvals import Approvals
from bots.discord.boards import Boards
from bots.discord.calling import Calling
from bots.discord.cards import PREFIX
from bots.discord.front import Front
from bots.discord.interactions import Reader
from bots.discord.presses import Presses
from bots.discord.registration import Registration, carried_by
from bots.messages import DISCORD
from bots.state import StateFolder
from bots.tasks import Tasks

#: what Discord refused is asked for again after this long
_AGAIN_S: Final = 60.0


class Slash:
    """Registers what this agent's application carries, and answers what people use of it."""

    def __init__(
        self,
        spec: AgentSpec,
        state: StateFolder,
        parts: Answering,
        *,
        transport: GuildTransport,
        switch: KillSwitch,
        tasks: Tasks,
        changed: Callable[[], None],
        log: FilteringBoundLogger,
        again_s: float = _AGAIN_S,
    ) -> None:
        """`changed` is called when `trouble` is another one; then all is tried again `again_s`
        later.
        """
        settings = spec.settings
        carried = carried_by(spec.name, settings, parts.commands)
        file = state.identifies_of(spec.name).with_suffix(".commands.json")
        self._registration = Registration(carried, file, log)
        self._transport = transport
        self._tasks = tasks
        self._changed = changed
        self._again_s = again_s
        self._wake = asyncio.Event()
        self._guild: discord.Guild | None = None
        transport.on_moved = self._moved
        #: why its commands are not registered, in one sentence; empty when they are
        self.trouble = ""
        #: set while its commands have been looked after where it is
        self.looked_after = asyncio.Event()
        answers = Answers(spec.name, parts.guard, transport.speech, log, transport.parts)
        self.front = Front(
            carried,
            parts.desk.answer,
            reader=Reader(
                agent=spec.name,
                agents=spec.discord_agents,
                name_of=transport.name_of,
                clock=utc_now,
            ),
            answers=answers,
            operators=parts.operators,
            switch=switch,
            agents=[a.name for a in settings.agents],
            channels=lambda: [c.name for c in settings.channels],
            listen_only=settings.listen_only,
            serves=self._serves,
            log=log,
        )
        self._approvals = self._cards(spec, parts, answers, switch, log)
        #: how far workflows are; the captain's alone
        self._progress = self._boards(spec, parts, switch, log)
        self._is_running = False

    def _cards(
        self,
        spec: AgentSpec,
        parts: Answering,
        answers: Answers,
        switch: KillSwitch,
        log: FilteringBoundLogger,
    ) -> Approvals | None:
        """The captain's approval cards; other agents have none."""
        if spec.name != spec.settings.captain:
            return None
        approvals = Approvals(
            self._transport,
            parts.requests.store,
            parts.guard,
            spec.name,
            latch=lambda: switch.latch,
            log=log,
        )
        parts.requests.watchers.append(approvals.nudge)
        presses = Presses(
            agents=spec.discord_agents,
            requests=parts.requests,
            answers=answers,
            latch=lambda: switch.latch,
            log=log,
        )
        self.front.components[PREFIX] = presses.on_component
        parts.notifiers[DISCORD] = Calling(self._transport.speech, parts.guard)
        return approvals

    def _boards(
        self, spec: AgentSpec, parts: Answering, switch: KillSwitch, log: FilteringBoundLogger
    ) -> Boards | None:
        if spec.name != spec.settings.captain:
            return None
        return Boards(
            self._transport,
            parts.requests.store,
            parts.guard,
            spec.name,
            latch=lambda: switch.latch,
            redact=parts.requests.redact,
            clock=utc_now,
            log=log,
        )

    def _serves(self, guild_id: int) -> bool:
        guild = self._transport.guild
        return guild is not None and guild.id == guild_id

    def on_interaction(self, interaction: discord.Interaction) -> None:
        self.front.on_interaction(interaction)

    def began(self, network: str) -> None:
        """A session on Discord began (READY): see to it that the commands are there."""
        if network != DISCORD:
            return
        self._look_after()
        if self._is_running:
            return
        self._is_running = True
        self._tasks.start(self._keep())
        if self._approvals is not None:
            self._tasks.start(self._approvals.run())
        if self._progress is not None:
            self._tasks.start(self._progress.run())

    def hush(self) -> None:
        self.front.hush()

    async def close(self) -> None:
        await self.front.close()

    def _moved(self) -> None:
        """Who was invited, or thrown out and invited again, has no commands in that guild."""
        if self._transport.guild is not self._guild:
            self._look_after()

    def _look_after(self) -> None:
        self.looked_after.clear()
        self._wake.set()

    async def _keep(self) -> None:
        """Register what differs whenever something may have changed, until cancelled."""
        while True:
            self._wake.clear()
            await self._sync()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._again_s if self.trouble else None):
                    await self._wake.wait()

    async def _sync(self) -> None:
        client, self._guild = self._transport.client, self._transport.guild
        trouble = ""
        if client is not None and self._guild is not None:
            trouble = await self._registration.sync(client, self._guild)
            if not self._wake.is_set():
                self.looked_after.set()
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()
