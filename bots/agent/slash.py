"""One agent's slash commands, put together: only an agent on Discord imports this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import discord
from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.discord import GuildTransport
from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.discord.answers import Answers
from bots.discord.approvals import Approvals
from bots.discord.cards import PREFIX
from bots.discord.front import Front
from bots.discord.interactions import Reader
from bots.discord.presses import Presses
from bots.discord.registration import Registration, carried_by
from bots.messages import DISCORD
from bots.state import StateFolder
from bots.tasks import Tasks


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
    ) -> None:
        """`changed` is called when `trouble` is another one."""
        settings = spec.settings
        carried = carried_by(spec.name, settings, parts.commands)
        file = state.identifies_of(spec.name).with_suffix(".commands.json")
        self._registration = Registration(carried, file, log)
        self._transport = transport
        self._tasks = tasks
        self._changed = changed
        #: why its commands are not registered, in one sentence; empty when they are
        self.trouble = ""
        #: set while its commands have been looked after in the session that lasts
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
            log=log,
        )
        self._approvals = self._cards(spec, parts, answers, switch, log)
        self._shows_cards = False

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
        return approvals

    def on_interaction(self, interaction: discord.Interaction) -> None:
        self.front.on_interaction(interaction)

    def began(self, network: str) -> None:
        """A session on Discord began (READY): see to it that the commands are there."""
        if network != DISCORD:
            return
        self.looked_after.clear()
        self._tasks.start(self._sync())
        if self._approvals is not None and not self._shows_cards:
            self._shows_cards = True
            self._tasks.start(self._approvals.run())

    async def close(self) -> None:
        await self.front.close()

    async def _sync(self) -> None:
        client, guild = self._transport.client, self._transport.guild
        if client is None or guild is None:
            return
        trouble = await self._registration.sync(client, guild)
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()
        self.looked_after.set()
