"""What a turn can say to a peer in private: the tools' way to a talk, bound to what the turn is
about.

What the opener says is a delegation of kind ``talk``, its result the answer; so authority, hops,
deadlines and deaths are those of any work. What a turn has said is not said again when another
process takes the turn over: it gets the answer that was given.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bots.answering.matter import Matter
from bots.delegating.carrying import NOTHING_TO_SAY
from bots.delegating.desk import DelegationDesk
from bots.delegating.order import TALK, NotGiven, Order
from bots.delegating.waiting import is_settled
from bots.settings import Settings
from brain.errors import ToolError
from brain.wallet.budgets import nusd_of
from storage import delegations, talks
from storage.delegation_tables import Delegation, DelegationState
from storage.talk_tables import Talk
from storage.talks import LIMIT, NewTalk

_DEADLINE: Final = timedelta(minutes=5)
#: a turn has its own time
_WAIT_S: Final = 45.0


@dataclass(frozen=True)
class TalkLimits:
    """Of one talk."""

    #: things that each of the two may say
    turns: int
    #: billionths of a US dollar; the last answer may go beyond
    cost_nusd: int


def talk_limits(settings: Settings) -> TalkLimits:
    """What swarm.toml allows."""
    limits = settings.limits
    return TalkLimits(turns=limits.talk_turns, cost_nusd=nusd_of(limits.talk_usd))


@dataclass
class TurnTalking:
    """As `brain.tools.context.Talking`."""

    desk: DelegationDesk
    limits: TalkLimits
    matter: Matter
    #: keys of what this very try of the turn has said
    _said: set[str] = field(default_factory=set)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def say(self, agent: str, words: str, code: str) -> str:
        async with self._one_at_a_time:
            await self._require_no_talk()
            talk = await self._talk(agent, code)
            turns = await self._turns(talk)
            key = self._key(talk, words)
            before = next((turn for turn in turns if turn.idempotency_key == key), None)
            if before is None or key in self._said:
                await self._require_more(talk, turns, words)
                before = await self._given(talk, words, key)
            self._said.add(key)
            return await self._answered(talk, before)

    async def end(self, code: str, why: str) -> str:
        talk = await self._mine(code)
        if await self._end(talk, self.desk.agent, self.desk.clean(why)):
            return f"{talk.code} is over; nothing more is said in it."
        raise ToolError(f"end_talk: {talk.code} was over already")

    # --- which talk -------------------------------------------------------------------------------

    async def _require_no_talk(self) -> None:
        """Who is in a talk opens no other one, and neither does who works for somebody in one."""
        above = self.matter.delegation
        while above is not None:
            if above.kind == TALK:
                raise ToolError("talk_with: this is part of a talk already; answer in it instead")
            above = await self._read(above.parent_id)

    async def _read(self, delegation_id: int | None) -> Delegation | None:
        if delegation_id is None:
            return None
        return await self.desk.store.read(lambda unit: delegations.read(unit, delegation_id))

    async def _talk(self, agent: str, code: str) -> Talk:
        if code:
            talk = await self._called(code)
            if talk is None or talk.opener != self.desk.agent or talk.peer != agent:
                raise ToolError(f"talk_with: you opened no talk {code} with {agent}")
            if talk.session != self.matter.session:
                raise ToolError(f"talk_with: {code} was opened elsewhere and goes on only there")
            return talk
        known = self.desk.authority.allowed
        if agent not in known:
            raise ToolError(f"talk_with: there is no agent {agent!r}; there are {', '.join(known)}")
        matter = self.matter
        turn = f"{self.desk.agent}\n{agent}\n{matter.session} {matter.trace_id}"
        named = hashlib.sha256(turn.encode()).hexdigest()
        new = NewTalk(
            code=f"T-{named[:10]}",
            opener=self.desk.agent,
            peer=agent,
            session=matter.session,
            opened_at=self.desk.clock(),
            trace_id=matter.trace_id,
        )
        return await self.desk.store.write(lambda unit: talks.open_one(unit, new))

    async def _mine(self, code: str) -> Talk:
        """The talk that is to end: of this code, or the one that this turn is about."""
        held = self.matter.delegation
        wanted = code or (held.talk if held is not None else "")
        if not wanted:
            raise ToolError("end_talk: give its code, such as T-9f3a21bc04")
        talk = await self._called(wanted)
        is_here = talk is not None and (
            talk.session == self.matter.session or (held is not None and held.talk == talk.code)
        )
        if talk is None or not is_here or self.desk.agent not in (talk.opener, talk.peer):
            raise ToolError(f"end_talk: you are in no talk {wanted} here")
        return talk

    async def _called(self, code: str) -> Talk | None:
        return await self.desk.store.read(lambda unit: talks.by_code(unit, code))

    async def _turns(self, talk: Talk) -> list[Delegation]:
        return await self.desk.store.read(lambda unit: talks.turns(unit, talk.code))

    # --- what is said -----------------------------------------------------------------------------

    async def _require_more(self, talk: Talk, turns: Sequence[Delegation], words: str) -> None:
        if talk.ended_at is None and _plain(words) in {_plain(t.instruction) for t in turns}:
            await self._end(talk, LIMIT, f"{talk.opener} said the same twice")
            raise ToolError(f"talk_with: you said that before: {talk.code} is over")
        if talk.ended_at is not None:
            raise ToolError(f"talk_with: {_over(talk)}; answer with what you have")

    async def _given(self, talk: Talk, words: str, key: str) -> Delegation:
        matter = self.matter
        parent = matter.delegation
        order = Order(
            to=talk.peer,
            kind=TALK,
            talk=talk.code,
            instruction=words,
            asked_by=f"agent:{talk.opener}",
            may_name_place=False,
            deadline=_DEADLINE,
            tries=1,
            idempotency_key=key,
            network=matter.network if not matter.may_reach_out else "",
            channel=matter.channel if not matter.may_reach_out else "",
            parent_id=parent.id if parent else None,
            trace_id=matter.trace_id,
        )
        try:
            return await self.desk.give(order)
        except NotGiven as error:
            await self._end(talk, LIMIT, str(error))
            raise ToolError(f"talk_with: {error}") from error

    async def _answered(self, talk: Talk, given: Delegation) -> str:
        ended = await self.desk.wait(given.code, _WAIT_S)
        if not is_settled(ended):
            await self.desk.cancel(given.code, talk.opener, "nobody waits for it any more")
            ended = await self.desk.wait(given.code, 0)
        answer = f"{talk.code}: {talk.peer}: {_words(ended)}"
        turns = await self._turns(talk)
        by, why = self._reason_to_end(talk, turns)
        if why:
            await self._end(talk, by, why)
        now = await self._called(talk.code)
        if now is not None and now.ended_at is not None:
            return f"{answer}\n{_over(now)}."
        return f"{answer}\nYou may say {self.limits.turns - len(turns)} more things in this talk."

    def _reason_to_end(self, talk: Talk, turns: Sequence[Delegation]) -> tuple[str, str]:
        """By whom and why it ends now; empty when it may go on."""
        answers = [_plain(turn.result) for turn in turns if turn.state == DelegationState.DONE]
        if answers and answers[-1] == _plain(NOTHING_TO_SAY):
            return talk.peer, "it had nothing to say"
        if len(answers) > len(set(answers)):
            return LIMIT, f"{talk.peer} said the same twice"
        if len(turns) >= self.limits.turns:
            return LIMIT, f"each of you said {len(turns)} things, and that is the most"
        if sum(turn.cost_nusd for turn in turns) >= self.limits.cost_nusd:
            return LIMIT, "it has cost as much as a talk may"
        return "", ""

    async def _end(self, talk: Talk, by: str, why: str) -> bool:
        now = self.desk.clock()
        return await self.desk.store.write(lambda unit: talks.end(unit, talk, by, why, now))

    def _key(self, talk: Talk, words: str) -> str:
        said = hashlib.sha256(_plain(words).encode()).hexdigest()[:16]
        return f"{talk.code}:{self.matter.trace_id}:{said}"


def _words(ended: Delegation) -> str:
    return ended.result or f"{ended.state}: {ended.error}"


def _over(talk: Talk) -> str:
    by = "" if talk.ended_by == LIMIT else f" by {talk.ended_by}"
    return f"{talk.code} was ended{by}" + (f": {talk.why}" if talk.why else "")


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())
