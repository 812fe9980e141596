"""Where an agent answers commands: ahead of queue and model, once, and only those that exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.answering.answerer import Answerer, note_of, outcome, raise_if_store
from bots.answering.thinker import Thinker
from bots.commands.parse import Spoken, parse
from bots.commands.registry import Registry
from bots.control.door import Unavailable
from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.hearing import gate
from bots.hearing.intake import is_stop
from bots.roster import Roster
from bots.settings import Settings
from brain.errors import Refused, ToolError
from storage.errors import LeaseLost
from storage.inbox import Work
from storage.tables import InboxState

#: asks the supervisor for something and gives its answer
Ask = Callable[[dict[str, Any]], Awaitable[str]]
#: a steering command that was heard longer ago is not carried out
STEER_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Desk:
    settings: Settings
    commands: Registry
    answerer: Answerer
    thinker: Thinker
    operators: Operators
    roster: Roster
    ask: Ask
    own_state: Callable[[], str]
    log: FilteringBoundLogger

    async def command(self, work: Work) -> None:
        """Answer one command line; raises `StorageError`, `Unsaid`."""
        if not await self.answerer.claim([work]):
            return
        spoken = self._spoken(work)
        try:
            if spoken is not None and self._steers(spoken):
                await self._steered(work, spoken)
            else:
                await self._answered(work, spoken)
        except (Refused, LeaseLost) as error:
            raise_if_store(error)
            self.log.info("command.refused", why=str(error), trace_id=work.trace_id)
            await self.answerer.settle([work], InboxState.REFUSED, str(error))

    def outlives_kill(self, work: Work) -> bool:
        """A killed agent still answers this command."""
        spoken = self._spoken(work)
        command = self.commands.get(spoken.name) if spoken else None
        return command is not None and command.when_killed

    async def _answered(self, work: Work, spoken: Spoken | None) -> None:
        text = await self._text(work, spoken)
        if not text:
            await self.answerer.settle([work], InboxState.SILENT, "nothing to say to that")
            return
        name = spoken.name if spoken else "stop"
        why = f"{work.sender}: {name}"
        deliveries = await self.answerer.reply(work, text, why=why, command=name)
        await self.answerer.settle([work], outcome(deliveries), note_of(deliveries))

    async def _steered(self, work: Work, spoken: Spoken) -> None:
        """Settled before it is carried out: a restart that ends this very process must not be
        found and carried out again by its replacement.
        """
        if not await self.answerer.settle([work], InboxState.ANSWERED, "carried out at most once"):
            return
        text = await self._text(work, spoken)
        if text:
            why = f"{work.sender}: {spoken.name}"
            await self.answerer.reply(work, text, why=why, command=spoken.name, settled=True)

    def _steers(self, spoken: Spoken) -> bool:
        command = self.commands.get(spoken.name)
        return command is not None and command.steering

    async def use_tool(self, work: Work, name: str, arguments: Mapping[str, Any]) -> str:
        spoken = self._spoken(work)
        return await self.thinker.use_tool(work, name, arguments, spoken.name if spoken else "")

    async def steer(self, work: Work, spoken: Spoken) -> str:
        """Check the operator here, then ask the supervisor, which checks again."""
        if work.heard_at < self.answerer.clock() - STEER_WITHIN:
            # A word that waited in a queue may be overtaken by what happened since.
            return "No: that was said too long ago; say it again."
        try:
            by = self.operators.vouch(Evidence(work.account, spoken.signed))
        except NotAnOperator as error:
            return f"No: {error}."
        return await self.ask(
            {
                "please": "steer",
                "words": self._words(work).strip().removeprefix(self._prefix(work)),
                "by": f"{work.sender} ({by})",
                "door": work.session,
                "account": work.account,
            }
        )

    async def _text(self, work: Work, spoken: Spoken | None) -> str:
        if spoken is None:
            return "Stopped." if is_stop(self._words(work)) else ""
        command = self.commands.get(spoken.name)
        if command is None:
            return ""
        latch = self.answerer.latch()
        if latch is not None and not command.when_killed:
            return ""
        try:
            return await command.run(self, work, spoken)
        except (ToolError, Unavailable) as error:
            return str(error)

    def _spoken(self, work: Work) -> Spoken | None:
        return parse(self._words(work), self._prefix(work))

    def _words(self, work: Work) -> str:
        if work.channel.startswith("nick:"):
            return work.text
        addressed = gate.addressees(work.text, self.roster.addressable(work.channel))
        return addressed.text if addressed.agents else work.text

    def _prefix(self, work: Work) -> str:
        return self.settings.prefix_in(work.channel)
