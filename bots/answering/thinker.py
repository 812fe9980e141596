"""One agent's brain, assembled: model, tools, guard, soul, and the sessions it remembers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from bots.answering.deeds import Deeds
from bots.answering.matter import Asking, Claim, Matter
from bots.answering.opening import Openings
from bots.answering.placing import place_of
from bots.answering.pulse import Pulse
from bots.answering.reaching import Reaching, targets_of
from bots.delegating.order import TALK
from bots.settings import Settings
from brain.acting import Clean, Fence
from brain.compaction import Compactor
from brain.errors import ContextOverflow
from brain.guard import Guard
from brain.loop import Answer, Limits, Loop, Question
from brain.model import Model, Occasion, Reader
from brain.prompting.silence import is_silence
from brain.prompting.tokens import estimate, windows
from brain.spent import Spent
from brain.tools.catalogue import TOOLS
from brain.tools.context import AgentCard, AskPeople, Context, Handing, Project, Talking
from brain.tools.registry import AnyTool, Toolbox, target_of
from brain.wallet.budgets import nusd_of
from storage import sessions
from storage.acts import Act
from storage.latch import Latch
from storage.store import Store
from storage.unit import Unit

#: tokens of history below which the newest turns alone are shown
_ROOM_FOR_DIGEST: Final = 600


@dataclass(frozen=True)
class Exchanged:
    """A question and what was answered."""

    asked: str
    answer: Answer
    #: of the prompt that it stands on
    prompt: str
    started_at: datetime


@dataclass(frozen=True)
class Thinker:
    agent: str
    settings: Settings
    store: Store
    guard: Guard
    model: Model
    openings: Openings
    compactor: Compactor
    #: source and text of what a tool found → how a model is shown it
    fence: Fence
    #: hides secrets in what a tool found, for people may be shown it
    clean: Clean
    tools: Callable[[], Awaitable[Sequence[AnyTool]]]
    #: one turn's reach: why, trace id
    reach: Callable[[str, str], Reaching]
    cards: Callable[[], Sequence[AgentCard]]
    #: how a turn hands work to other agents
    handing: Callable[[Matter], Handing]
    #: how a turn asks people
    people: Callable[[Matter], AskPeople]
    #: somebody is there to be asked
    has_people: bool
    #: how a turn writes into the project's log
    project: Callable[[Matter], Project]
    #: how a turn talks with another agent in private
    talking: Callable[[Matter], Talking]
    latch: Callable[[str], Latch | None]
    clock: Callable[[], datetime]
    #: everybody on a network may read this channel: network, channel → yes or no
    is_open: Callable[[str, str], bool]

    async def think(
        self, work: Matter, text: str, claim: Claim, reader: Reader | None = None
    ) -> Exchanged:
        """Answer one question that is ours by `claim`; `reader` gets it while it is made. Raises
        `Refused`, `ModelFailed`, `PromptMissing`, `StorageError`.
        """
        occasion = self._occasion(work)
        reach = self.reach(f"{work.sender} asked in {work.session}", work.trace_id)
        deeds = Deeds(claim.note_deed)
        # A second try has what the first one left of the turn's limits.
        spent = Spent()

        async def think() -> Exchanged:
            toolbox = Toolbox(deeds.watched(await self.tools()), self._reaching(work, text, reach))
            pulse = Pulse(claim.beat)
            loop = partial(self.loop, toolbox, on_progress=pulse, spent=spent)
            return await self._think(work, text, loop, reader)

        try:
            return await think()
        except ContextOverflow as error:
            if deeds.begun:
                # A second time its tools would do the same again.
                raise ContextOverflow(f"{error}; what my tools had begun before is done") from error
            # What was said before takes too much room: shorter, and once more.
            if await self.compactor.make_room(work.session, occasion) is None:
                raise
            if reader is not None:
                reader.anew()
            return await think()

    async def tidy(self, work: Matter) -> None:
        """Make the session shorter where it has outgrown what a model is shown of it; its place is
        after an answer, for it may ask the model. Raises `StorageError`.
        """
        can = self.model.capabilities
        room = windows(can.context_tokens, has_tools=can.tools).history
        if room < _ROOM_FOR_DIGEST:
            # A digest would fill it, and the session had to be made shorter after every answer.
            return
        await self.compactor.tidy(work.session, self._occasion(work), tokens=room, size=estimate)

    async def _think(
        self, work: Matter, text: str, loop: Callable[[str], Loop], reader: Reader | None
    ) -> Exchanged:
        started = self.clock()
        opened = await self.openings.of(work, text)
        question = Question(
            asker=work.sender,
            text=text,
            place=work.session,
            channel=_channel(work),
            agent=self.agent,
            trace_id=work.trace_id,
            history=opened.history,
            opening=opened.messages,
            occasion=self._occasion(work),
        )
        answer = await loop(opened.system).run(question, reader)
        return Exchanged(text, answer, opened.reference, started)

    def loop(
        self,
        toolbox: Toolbox,
        system: str,
        on_progress: Callable[[], Awaitable[None]] | None = None,
        spent: Spent | None = None,
    ) -> Loop:
        """A loop with this agent's model and limits; as `brain.loop.Loop`."""
        limits = self.settings.limits
        return Loop(
            self.model,
            toolbox,
            self.guard,
            Limits(
                steps=limits.max_steps,
                time_s=limits.turn_timeout_s,
                tokens=limits.turn_tokens,
                cost_nusd=0 if limits.turn_usd is None else nusd_of(limits.turn_usd),
            ),
            time.monotonic,
            system=system,
            on_progress=on_progress,
            fence=self.fence,
            clean=self.clean,
            spent=spent,
        )

    async def use_tool(
        self, work: Asking, name: str, arguments: Mapping[str, Any], command: str
    ) -> str:
        """Run one tool for a command; raises `Refused`, `ToolError`, `StorageError`."""
        toolbox = Toolbox(TOOLS, self.context(work, work.text))
        act = Act(
            agent=self.agent,
            verb="tool",
            target=target_of(name),
            reason=f"{work.sender} commanded {command} in {work.session}",
            trace_id=work.trace_id,
            details={"command": command, "guard_class": toolbox.find(name).guard_class},
        )
        permit = await self.guard.permit(act)
        return self.clean((await toolbox.call(name, arguments, permit)).text)

    async def remember(
        self, unit: Unit, work: Matter, exchanged: Exchanged, *, inbox_id: int | None = None
    ) -> None:
        """Keep the exchange, with the inbox row where there is one, as a turn of its session, in
        the caller's transaction.
        """
        finished = self.clock()
        answer = exchanged.answer
        session_id = await sessions.open_session(unit, self.agent, work.session, finished)
        await sessions.add_turn(
            unit,
            session_id,
            inbox_id=inbox_id,
            asker=work.sender,
            asked=exchanged.asked,
            answer="" if is_silence(answer.text) else answer.text,
            model=answer.model,
            steps=answer.steps,
            prompt=exchanged.prompt,
            cost_nusd=answer.cost_nusd,
            input_tokens=answer.usage.total - answer.usage.output_tokens,
            output_tokens=answer.usage.output_tokens,
            started_at=exchanged.started_at,
            finished_at=finished,
            trace_id=work.trace_id,
        )

    def _occasion(self, work: Matter) -> Occasion:
        return Occasion(
            agent=self.agent,
            session=work.session,
            task=work.task,
            trace_id=work.trace_id,
        )

    def context(self, work: Asking, asked: str) -> Context:
        """What a tool may know; it reaches nothing outside."""
        return Context(
            store=self.store,
            agent=self.agent,
            network=work.network,
            channel=_channel(work),
            asker=work.sender,
            asked=asked,
            now=self.clock,
            monotonic=time.monotonic,
            roster=self.cards,
            latch=self.latch,
            command_prefix=self.settings.irc.command_prefix,
            is_open=self.is_open,
            clean=self.clean,
            trace_id=work.trace_id,
            session=work.session,
            max_hops=self.settings.limits.max_hops,
        )

    def _reaching(self, work: Matter, asked: str, reach: Reaching) -> Context:
        transport = reach.mouth.transports.get(work.network)
        has_replies = transport is not None and transport.has_replies
        known = self.context(work, asked)
        # What was said in private, or where not everybody reads, is in this turn's prompt.
        may = known.is_open_place or work.may_reach_out
        elsewhere = targets_of(reach.mouth.transports) if may else ()
        return replace(
            known,
            message_id=work.message_id,
            hops=work.hops,
            reaches_out=may,
            targets=lambda: elsewhere,
            say=reach.say,
            handing=self.handing(work),
            people=self.people(work),
            project=self.project(work),
            talking=self.talking(work),
            leads=self.agent == self.settings.captain,
            is_delegated=work.delegation is not None,
            is_in_talk=work.delegation is not None and work.delegation.kind == TALK,
            has_people=self.has_people,
            react=reach.react if has_replies else None,
            fetch=reach.fetch if has_replies else None,
            share=partial(reach.share, place_of(work), work.hops + 1) if has_replies else None,
        )


def _channel(work: Asking) -> str | None:
    return None if work.channel.startswith("nick:") else work.channel
