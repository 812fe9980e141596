"""Questions to people: asking them, and who may decide. Where a question is shown, and who carries
out what was approved, is others' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bots.house_settings import ApprovalSettings
from bots.messages import DISCORD
from storage import request_votes, requests
from storage.requests import Approvers, Decision, NewRequest, Request
from storage.store import Store
from storage.tables import RequestState
from storage.unit import Unit

#: questions that may wait at the same time, and that one person may ask within `_WITHIN`
_MOST_OPEN: Final = 10
_MOST_OF_ONE: Final = 5
_WITHIN: Final = timedelta(hours=1)


class CannotAsk(Exception):
    """The question is not asked; the text says why, to the one who wanted it."""


class NobodyToAsk(CannotAsk):
    """Nobody could decide it, whenever it is asked."""


class Undecidable(Exception):
    """This press decides nothing; the text says why, to the one who pressed."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants that only an operator may order."""

    #: what would be done, and to whom or what
    kind: str
    subject: str
    title: str
    #: label and value, in the order shown
    facts: tuple[tuple[str, str], ...] = ()
    asked_by: str
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Voter:
    """Who decides, as the network vouches for it: never by what a card says."""

    #: as shown
    name: str
    user: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Asks operators and takes their answers; any process may, the store keeps them apart."""

    store: Store
    #: agent that shows the cards and carries out what was approved
    captain: str
    settings: ApprovalSettings
    #: who may decide: operators by Discord user id, or by role id
    operators: Approvers
    #: hides secrets in text
    redact: Callable[[str], str]
    clock: Callable[[], datetime]
    #: called after every change, to have it shown or carried out soon
    watchers: list[Callable[[], None]] = field(default_factory=list)

    async def ask_operators(self, question: Question) -> Request:
        """Ask; a question that waits already is not asked twice, and the same one is given back.

        Raises `CannotAsk` (`NobodyToAsk` where there are no operators to ask) and `StorageError`.
        """
        if self.operators == Approvers():
            raise NobodyToAsk("there is no operator on Discord to ask: swarm.toml names none")
        now = self.clock()
        async with self.store.writing() as unit:
            waiting = await requests.pending(unit)
            known = next((r for r in waiting if _same(r, question) and r.expires_at > now), None)
            if known is not None:
                return known
            mine = await requests.count_of(unit, question.asked_by, now - _WITHIN)
            if len(waiting) >= _MOST_OPEN or mine >= _MOST_OF_ONE:
                raise CannotAsk("the operators have enough to decide already; try again later")
            asked = await requests.open_one(unit, self._new(question, now), now)
        self.tell()
        return asked

    async def decide(
        self, request_id: int, voter: Voter, *, approved: bool, note: str = ""
    ) -> Request:
        """Approve or reject; raises `Undecidable` and `StorageError`.

        The first decision counts, whoever presses at the same time and in whatever process. What
        several people have to approve stays pending until the last one of them does.
        """
        now = self.clock()
        evidence = {"discord_user": voter.user, "discord_roles": list(voter.roles)}
        decision = Decision(
            approved=approved, by=self.redact(voter.name), evidence=evidence, note=self.redact(note)
        )
        async with self.store.writing() as unit:
            found = await requests.read(unit, request_id)
            if why := objection(found, voter, now):
                raise Undecidable(why)
            assert found is not None
            if approved and found.quorum > 1:
                decided = await self._counted(unit, found, voter, decision)
            else:
                decided = await requests.decide(unit, request_id, decision, now)
            if decided is None:
                raise Undecidable(objection(await requests.read(unit, request_id), voter, now))
        self.tell()
        return decided

    async def _counted(
        self, unit: Unit, request: Request, voter: Voter, decision: Decision
    ) -> Request | None:
        """One yes of several: the last one that is needed decides."""
        now = self.clock()
        names = await request_votes.add(unit, request, voter.user, decision.by, now)
        if names is None:
            raise Undecidable(
                f"You have approved {request.code} already; it takes {request.quorum} people."
            )
        if len(names) < request.quorum:
            return await requests.read(unit, request.id)
        decided = replace(decision, by=" and ".join(names))
        return await requests.decide(unit, request.id, decided, now)

    def tell(self) -> None:
        """Something changed: have it shown and carried out."""
        for watcher in self.watchers:
            watcher()

    def _new(self, question: Question, now: datetime) -> NewRequest:
        return NewRequest(
            agent=self.captain,
            kind=question.kind,
            subject=question.subject,
            title=self.redact(question.title),
            facts=tuple((label, self.redact(value)) for label, value in question.facts),
            asked_by=self.redact(question.asked_by),
            approvers=self.operators,
            network=DISCORD,
            channel=self.settings.channel,
            expires_at=now + timedelta(seconds=self.settings.wait_s),
            trace_id=question.trace_id,
        )


def objection(request: Request | None, voter: Voter, now: datetime) -> str:
    """Why this person cannot decide this request now; empty when nothing speaks against it.

    Who may not decide learns nothing of it.
    """
    if request is None:
        return "There is no such request any more."
    if not request.approvers.include(voter.user, voter.roles):
        return f"{request.code} is for the operators to decide, and you are none of them."
    due = request.state is RequestState.PENDING and request.expires_at <= now
    state = RequestState.EXPIRED if due else request.state
    at = f"{request.decided_at or request.expires_at:%H:%M} UTC"
    return {
        RequestState.PENDING: "",
        RequestState.EXPIRED: f"{request.code} rejected itself at {at}.",
        RequestState.REJECTED: f"{request.code} was rejected by {request.decided_by} at {at}"
        + (f": {request.note}." if request.note else "."),
    }.get(state, f"{request.code} was approved by {request.decided_by} at {at}.")


def to_restart(agent: str, asked_by: str, place: str, trace_id: str) -> Question:
    """Somebody who is no operator wants a new process for `agent`."""
    facts = (("Said in", place), ("Undo", "not needed: it takes up what it was working on"))
    return Question(
        kind="restart",
        subject=agent,
        title=f"Restart {agent}",
        facts=facts,
        asked_by=asked_by,
        trace_id=trace_id,
    )


def asked_sentence(request: Request) -> str:
    """What to tell who asked."""
    return (
        f"I asked the operators: {request.code} in {request.channel}. It rejects itself at "
        f"{request.expires_at:%H:%M} UTC."
    )


def _same(request: Request, question: Question) -> bool:
    return (request.kind, request.subject) == (question.kind, question.subject)
