"""Where an agent answers commands: ahead of queue and model, once, and only those that exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots import gate
from bots.answering import Answerer, note_of, outcome, raise_if_store
from bots.commands.parse import Spoken, parse
from bots.commands.registry import Registry
from bots.control.door import Unavailable
from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.control.signatures import Signed
from bots.intake import is_stop
from bots.roster import Roster
from bots.settings import Settings
from bots.thinking import Thinker
from brain.errors import Refused, ToolError
from storage.errors import LeaseLost
from storage.inbox import Work
from storage.tables import InboxState

#: asks the supervisor for something and gives its answer
Ask = Callable[[dict[str, Any]], Awaitable[str]]
#: uses a signature's nonce up; False when it was used before
FirstUse = Callable[[Signed], Awaitable[bool]]


@dataclass(frozen=True)
class Desk:
    settings: Settings
    commands: Registry
    answerer: Answerer
    thinker: Thinker
    operators: Operators
    roster: Roster
    ask: Ask
    first_use: FirstUse
    own_state: Callable[[], str]
    log: FilteringBoundLogger

    async def command(self, work: Work) -> None:
        """Answer one command line; raises `StorageError`."""
        if not await self.answerer.claim([work]):
            return
        spoken = self._spoken(work)
        try:
            text = await self._text(work, spoken)
            if not text:
                await self.answerer.settle([work], InboxState.SILENT, "nothing to say to that")
                return
            name = spoken.name if spoken else "stop"
            deliveries = await self.answerer.reply(
                work, text, why=f"{work.sender}: {name}", command=name
            )
        except (Refused, LeaseLost) as error:
            raise_if_store(error)
            self.log.info("command.refused", why=str(error), trace_id=work.trace_id)
            await self.answerer.settle([work], InboxState.REFUSED, str(error))
            return
        await self.answerer.settle([work], outcome(deliveries), note_of(deliveries))

    async def use_tool(self, work: Work, name: str, arguments: Mapping[str, Any]) -> str:
        spoken = self._spoken(work)
        return await self.thinker.use_tool(work, name, arguments, spoken.name if spoken else "")

    async def steer(self, work: Work, spoken: Spoken, scope: str, reason: str) -> str:
        """Check the operator here, then ask the supervisor, which checks again."""
        try:
            by = self.operators.vouch(Evidence(work.account, spoken.signed))
        except NotAnOperator as error:
            return f"No: {error}."
        # A kill's nonce is used up by the reflex that carried it out, long before it is answered.
        if spoken.signed and spoken.name != "kill" and not await self.first_use(spoken.signed):
            return "No: that signature was used before; sign the command again."
        return await self.ask(
            {
                "please": spoken.name,
                "scope": scope,
                "reason": reason,
                "by": f"{work.sender} ({by})",
                "door": work.session,
                "account": work.account,
                "signed": _signed_text(work, self._prefix(work)) if spoken.signed else None,
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


def _signed_text(work: Work, prefix: str) -> str:
    return work.text.strip().removeprefix(prefix)
