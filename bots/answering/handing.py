"""How a question or a word goes from the agent that was commanded to those whom it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.answering.worklist import CHANNEL_PRIORITY, COMMAND_PRIORITY, PRIVATE_PRIORITY
from bots.commands.asked import Asked
from storage import inbox, record
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import InboxState, LineKind


@dataclass(frozen=True)
class Handing:
    #: the agent that was commanded, and the epoch of its process
    agent: str
    epoch: int
    store: Store
    clock: Callable[[], datetime]

    async def hand_on(
        self, asked: Asked, agents: Sequence[str], words: str, *, urgent: bool
    ) -> None:
        """As `bots.commands.registry.Desk.hand_on`; raises `StorageError`.

        What is handed on twice, because a process died in between, is found once.
        """
        if asked.message_id is not None and asked.inbox_id is not None:
            await self._line(asked, asked.message_id, asked.inbox_id, agents, urgent=urgent)
        elif asked.in_private:
            for agent in agents:
                await self._record(asked, f"nick:{agent}", [agent], words, urgent=urgent)
        else:
            await self._record(asked, asked.channel, agents, words, urgent=urgent)

    async def _line(
        self, asked: Asked, message_id: int, inbox_id: int, agents: Sequence[str], *, urgent: bool
    ) -> None:
        """The line that was heard goes into more inboxes, as it stands."""
        priority = _priority(asked, urgent=urgent)
        others = [agent for agent in agents if agent != self.agent]
        async with self.store.writing() as unit:
            for agent in others:
                await inbox.enqueue(
                    unit,
                    agent,
                    message_id,
                    asked.session,
                    priority,
                    self.clock(),
                    asked.trace_id,
                )
            if urgent:
                return
            if self.agent in agents:
                await inbox.take_as_talk(unit, inbox_id, self.agent, self.epoch, priority)
                return
            note = f"handed to {', '.join(others)}"
            silent = InboxState.SILENT
            await inbox.settle(unit, [inbox_id], self.agent, self.epoch, silent, self.clock(), note)

    async def _record(
        self, asked: Asked, channel: str, agents: Sequence[str], words: str, *, urgent: bool
    ) -> None:
        """A slash command is no line that anybody heard: it becomes one here."""
        priority = _priority(asked, urgent=urgent)
        addressed = "" if channel.startswith("nick:") else f"{', '.join(agents)}: "
        line = NewLine(
            network=asked.network,
            channel=channel,
            sender=asked.sender,
            account=asked.account,
            kind=LineKind.SAID,
            text=f"{addressed}{words}",
            said_at=asked.heard_at,
            heard_at=asked.heard_at,
            heard_by=self.agent,
            msgid=asked.interaction,
            trace_id=asked.trace_id,
            owed=tuple(Owed(agent, asked.session, priority) for agent in agents),
        )
        async with self.store.writing() as unit:
            # Nobody else can have heard it; the interaction's id keeps it from being doubled.
            await record.keep_new(unit, line)


def _priority(asked: Asked, *, urgent: bool) -> int:
    if urgent:
        return COMMAND_PRIORITY
    return PRIVATE_PRIORITY if asked.in_private else CHANNEL_PRIORITY
