"""Where an agent answers commands: ahead of queue and model, once, and only those that exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.answering.answerer import Answerer, note_of, outcome, raise_if_store
from bots.answering.handing import Handing
from bots.answering.thinker import Thinker
from bots.brain_settings import OFFLINE
from bots.commands.asked import Asked
from bots.commands.parse import Spoken, parse
from bots.commands.registry import Arguments, Command, Kind, Registry, Unclear
from bots.commands.steering import ScopeError, scope_of
from bots.control.door import Unavailable
from bots.control.operators import NotAnOperator, Operators
from bots.control.requests import CannotAsk, NobodyToAsk, Requests, asked_sentence, to_restart
from bots.delegating.desk import DelegationDesk
from bots.hearing import gate
from bots.hearing.short import is_ping, is_stop
from bots.project.desk import ProjectDesk
from bots.roster import Roster
from bots.settings import Settings
from bots.workflows.beginning import Beginnings
from brain.compaction import Compacted
from brain.errors import Refused, ToolError
from brain.model import Occasion
from brain.wallet.budgets import Budget, budgets_of
from storage.errors import LeaseLost
from storage.inbox import Work
from storage.latch import Latch
from storage.store import Store
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
    #: where work is handed to agents
    giving: DelegationDesk
    #: where runs of workflows are begun
    beginnings: Beginnings
    ask: Ask
    requests: Requests
    #: where it is said how the project stands
    project: ProjectDesk
    own_state: Callable[[], str]
    #: which model answers at present, and why not the one before it
    mind_state: Callable[[], str]
    #: ends what this agent works on in a session: session, who said so; true when there was any
    end_work: Callable[[str, str], bool]
    #: tells an agent, this one too, that its inbox has something
    nudge: Callable[[str], object]
    log: FilteringBoundLogger

    # --- a line that was heard --------------------------------------------------------------------

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
        if text is None:
            # Nothing may be awaited behind this: the row in hand may be the one to look at.
            self.nudge(self.agent)
            return
        if not text:
            await self.answerer.settle([work], InboxState.SILENT, "nothing to say to that")
            return
        name = spoken.name if spoken else "stop" if is_stop(self._words(work)) else "ping"
        why = f"{work.sender}: {name}"
        command = self.commands.get(name)
        place = work
        if command is not None and command.operators:
            place = replace(work, channel=f"nick:{self.agent}")
        deliveries = await self.answerer.replying.reply(place, text, why=why, command=name)
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
            await self.answerer.replying.reply(
                work, text, why=why, command=spoken.name, settled=True
            )

    def _steers(self, spoken: Spoken) -> bool:
        command = self.commands.get(spoken.name)
        return command is not None and command.steering

    async def _text(self, work: Work, spoken: Spoken | None) -> str | None:
        """The answer; empty for silence, None when the line was handed on."""
        if spoken is None:
            return await self._short(work)
        command = self.commands.get(spoken.name)
        if command is None or (self.answerer.latch() is not None and not command.when_killed):
            return ""
        arguments = command.read(_read_from(command, spoken))
        if arguments is None:
            return ""
        words = self._words(work).strip().removeprefix(self.settings.prefix_in(work.channel))
        return await self._run(command, Asked.by_line(work, words, spoken), arguments)

    async def _short(self, work: Work) -> str:
        """Lines of one word; what was worked on ended when the word was heard."""
        words = self._words(work)
        if is_stop(words):
            await self.answerer.leave_waiting(work.session, work.sender, work.message_id)
            return "Stopped."
        return "pong" if is_ping(words) and self.answerer.latch() is None else ""

    def _spoken(self, work: Work) -> Spoken | None:
        return parse(self._words(work), self.settings.prefix_in(work.channel))

    def _words(self, work: Work) -> str:
        if work.channel.startswith("nick:"):
            return work.text
        addressed = gate.addressees(work.text, self.roster.addressable(work.network, work.channel))
        return addressed.text if addressed.agents else work.text

    # --- a command, wherever it came from ---------------------------------------------------------

    async def answer(self, command: Command, asked: Asked, arguments: Arguments) -> str:
        """What to say to a command that was picked from a list, never empty; the caller says it.

        Raises `Refused`, `LeaseLost` and `StorageError`.
        """
        latch = self.answerer.latch()
        if latch is not None and not command.when_killed:
            return f"{self.agent} was {latch.told}. Until it is resumed it answers status only."
        text = await self._run(command, asked, arguments)
        lines = (text or "There is nothing to say to that.").splitlines()
        return "\n".join(gate.to_nobody(lines, self.roster.everybody()))

    async def _run(self, command: Command, asked: Asked, arguments: Arguments) -> str | None:
        try:
            return await command.run(self, asked, arguments)
        except (ToolError, Unavailable, Unclear) as error:
            return str(error)

    # --- what a command may use (`bots.commands.registry.Desk`) -----------------------------------

    @property
    def agent(self) -> str:
        return self.answerer.agent

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.settings.agents)

    @property
    def store(self) -> Store:
        return self.answerer.store

    def now(self) -> datetime:
        return self.answerer.clock()

    def agent_called(self, name: str) -> str | None:
        return self.roster.everybody().get(name.lower())

    def prefix(self, asked: Asked) -> str:
        return self.settings.prefix_in(asked.channel)

    def model_of(self, agent: str) -> str:
        """Which models this agent asks, in their order; of ourselves also how the last one did."""
        named = self.settings.agent(agent)
        chain = ", then ".join(named.brains)
        if chain == OFFLINE:
            return "offline brain: no model is called"
        return f"{chain}; at present {self.mind_state()}" if agent == self.agent else chain

    def budgets_of(self, agent: str) -> Sequence[Budget]:
        return budgets_of(agent, self.settings.agent(agent).budget, self.settings.budget)

    async def compact(self, asked: Asked, agent: str) -> Compacted | None:
        """In its model's words where it is this very agent, else in a few of its own."""
        own = self.thinker.compactor
        if agent != self.agent:
            return await replace(own, agent=agent, in_words=None).compact(asked.session)
        task = f"compact:{asked.trace_id}"
        occasion = Occasion(agent=agent, session=asked.session, task=task, trace_id=asked.trace_id)
        return await own.compact(asked.session, occasion)

    def latch_on(self, agent: str) -> Latch | None:
        return self.thinker.latch(agent)

    def is_open(self, asked: Asked) -> bool:
        return self.thinker.is_open(asked.network, asked.channel)

    def present(self, asked: Asked) -> Sequence[str]:
        channel = None if asked.in_private else asked.channel
        here = set(self.roster.addressable(asked.network, channel).values())
        return [agent for agent in self.agents if agent in here]

    async def stop(self, asked: Asked) -> bool:
        waited = await self.answerer.leave_waiting(asked.session, asked.sender, asked.message_id)
        return self.end_work(asked.session, asked.sender) or waited

    async def use_tool(self, asked: Asked, name: str, arguments: Arguments) -> str:
        spoken = asked.words.partition(" ")[0]
        return await self.thinker.use_tool(asked, name, arguments, spoken)

    async def hand_on(
        self, asked: Asked, agents: Sequence[str], words: str, *, urgent: bool
    ) -> None:
        handing = Handing(self.agent, self.answerer.epoch, self.store, self.answerer.clock)
        await handing.hand_on(asked, agents, words, urgent=urgent)
        for agent in agents:
            if agent != self.agent or asked.inbox_id is None:
                self.nudge(agent)

    async def steer(self, asked: Asked, order: str) -> str:
        """Check the operator here, then ask the supervisor, which checks again."""
        if asked.heard_at < self.answerer.clock() - STEER_WITHIN:
            # A word that waited in a queue may be overtaken by what happened since.
            return "No: that was said too long ago; say it again."
        evidence = asked.evidence
        try:
            by = self.operators.vouch(evidence)
        except NotAnOperator as error:
            refusal = f"No: {error}."
            return await self._operators_asked(asked, order) or refusal
        return await self.ask(
            {
                "please": "steer",
                "words": order,
                "by": f"{asked.sender} ({by})",
                "door": asked.session,
                "account": evidence.account,
                "discord_user": evidence.discord_user,
                "discord_roles": list(evidence.discord_roles),
            }
        )

    async def _operators_asked(self, asked: Asked, order: str) -> str:
        """Anybody may have the operators asked for a restart; empty where that is not offered."""
        spoken = parse(order, "")
        if spoken is None or spoken.name != "restart" or spoken.signed is not None:
            return ""
        try:
            agent, _ = scope_of(spoken, frozenset(self.agents))
            if agent == "all":
                return ""
            place = f"{asked.network}, in private" if asked.in_private else asked.session
            question = to_restart(agent, asked.sender, place, asked.trace_id)
            return asked_sentence(await self.requests.ask_operators(question))
        except NobodyToAsk as error:
            self.log.info("request.not_asked", why=str(error), trace_id=asked.trace_id)
            return ""
        except (ScopeError, CannotAsk) as error:
            return f"No: {error}."


def _read_from(command: Command, spoken: Spoken) -> str:
    """The words to read: a target that names somebody is an argument as well."""
    kinds = {option.kind for option in command.options}
    target = spoken.target or ""
    name = target.removeprefix("agent:") if target.startswith("agent:") else ""
    if not name and target == "all" and Kind.SCOPE in kinds:
        name = target
    names_somebody = name and kinds & {Kind.AGENT, Kind.SCOPE, Kind.SUBJECT}
    return f"{name} {spoken.words}".strip() if names_somebody else spoken.words
