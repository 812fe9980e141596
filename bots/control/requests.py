"""Questions to people: asking them, and taking what they decide. Where a question is shown, and who
carries out what was approved, is others' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bots.control.objections import NotTaken, Voter, objection, to_completion
from bots.house_settings import ApprovalSettings
from bots.messages import DISCORD
from brain.cases import Case, deadline_of
from brain.money import Money, NoMoney, parse
from storage import request_votes, requests
from storage.request import CASES, RequestKind
from storage.requests import Approvers, Completion, Decision, NewRequest, Request
from storage.store import Store
from storage.unit import Unit

__all__ = [
    "CannotAsk",
    "NobodyToAsk",
    "Question",
    "Requests",
    "Undecidable",
    "Voter",
    "asked_sentence",
    "objection",
    "to_restart",
]

#: questions that may wait at the same time, and that one may ask within `_WITHIN`: those of people,
#: and the cases of agents, which wait longer
_MOST_OPEN: Final = 10
_MOST_OF_ONE: Final = 5
_MOST_CASES_OPEN: Final = 30
_MOST_CASES_OF_ONE: Final = 10
_WITHIN: Final = timedelta(hours=1)

#: nothing is decided by this press or word; the text says why, to whose it was
Undecidable = NotTaken


class CannotAsk(Exception):
    """The question is not asked; the text says why, to the one who wanted it."""


class NobodyToAsk(CannotAsk):
    """Nobody could decide it, whenever it is asked."""


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
    #: why, what it costs and brings, what was tried: for what agents ask
    case: Case | None = None
    #: agent that goes on once it is decided
    waiter: str = ""
    #: None: the operators
    approvers: Approvers | None = None
    quorum: int = 1
    #: None: as long as such questions usually wait
    expires_at: datetime | None = None
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Asks operators and takes their answers; any process may, the store keeps them apart."""

    store: Store
    #: agent that shows the cards and carries out what was approved
    captain: str
    settings: ApprovalSettings
    #: who may decide: operators by Discord user id, by role id, or by services account
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
        async with self.store.writing() as unit:
            asked = await self.ask(unit, question)
        self.tell()
        return asked

    async def ask(self, unit: Unit, question: Question) -> Request:
        """As `ask_operators`, in the caller's transaction; the caller tells afterwards."""
        now = self.clock()
        new = self._new(question, now)
        if new.approvers == Approvers():
            raise NobodyToAsk("there is no operator on Discord to ask: swarm.toml names none")
        waiting = await requests.pending(unit)
        known = next((r for r in waiting if _same(r, new) and r.expires_at > now), None)
        # The same turn, begun again by another process, asks the same once.
        known = known or await requests.asked_before(unit, new)
        if known is not None:
            return known
        await self._bound(unit, new, waiting, now)
        return await requests.open_one(unit, new, now)

    async def decide(
        self, request_id: int, voter: Voter, *, approved: bool, note: str = ""
    ) -> Request:
        """Approve or reject; raises `Undecidable` and `StorageError`.

        The first decision counts, whoever presses at the same time and in whatever process. What
        several people have to approve stays pending until the last one of them does.
        """
        now = self.clock()
        decision = Decision(
            approved=approved,
            by=self.redact(voter.name),
            evidence=voter.evidence,
            note=self.redact(note),
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

    async def complete(
        self, request_id: int, voter: Voter, *, cost: str, gain: str = "", note: str = ""
    ) -> Request:
        """A person has done what was approved: what it cost, and what it brought if that is known.

        Raises `Undecidable` and `StorageError`.
        """
        now = self.clock()
        async with self.store.writing() as unit:
            found = await requests.read(unit, request_id)
            if why := to_completion(found, voter):
                raise Undecidable(why)
            assert found is not None
            bill = _bill(found, self.redact(voter.name), cost, gain)
            outcome = self.redact(note) or "done"
            done = await requests.complete(unit, request_id, outcome, now, bill)
            if done is None:
                raise Undecidable(to_completion(await requests.read(unit, request_id), voter))
        self.tell()
        return done

    async def _counted(
        self, unit: Unit, request: Request, voter: Voter, decision: Decision
    ) -> Request | None:
        """One yes of several: the last one that is needed decides."""
        now = self.clock()
        names = await request_votes.add(unit, request, voter.id, decision.by, now)
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

    async def _bound(
        self, unit: Unit, new: NewRequest, waiting: list[Request], now: datetime
    ) -> None:
        """People are asked no more than they can decide; raises `CannotAsk`."""
        is_case = new.kind in CASES
        # What workflows wait for is bounded by the workflows.
        kinds = list(CASES) if is_case else [RequestKind.RESTART]
        of_one = await requests.count_of(unit, new.asked_by, now - _WITHIN, kinds)
        most, most_of_one = (
            (_MOST_CASES_OPEN, _MOST_CASES_OF_ONE) if is_case else (_MOST_OPEN, _MOST_OF_ONE)
        )
        if sum(r.kind in kinds for r in waiting) >= most or of_one >= most_of_one:
            raise CannotAsk("the operators have enough to decide already; try again later")

    def _new(self, question: Question, now: datetime) -> NewRequest:
        case, clean = question.case, self.redact
        wait_s = self.settings.wait_s if case is None else self.settings.case_wait_s
        new = NewRequest(
            agent=self.captain,
            kind=question.kind,
            subject=clean(question.subject),
            title=clean(question.title),
            facts=tuple((label, clean(value)) for label, value in question.facts),
            asked_by=clean(question.asked_by),
            approvers=question.approvers or self.operators,
            network=DISCORD,
            channel=self.settings.channel,
            quorum=question.quorum,
            expires_at=question.expires_at or now + timedelta(seconds=wait_s),
            waiter=question.waiter,
            trace_id=question.trace_id,
        )
        if case is None:
            return new
        return replace(
            new,
            reason=clean(case.reason),
            sources=tuple(map(clean, case.sources)),
            attempt=clean(case.attempt),
            currency=case.currency,
            cost_micros=case.cost.micros if case.cost else None,
            return_micros=case.gain.micros if case.gain else None,
            expires_at=deadline_of(case.deadline, now) or new.expires_at,
            reference=case.reference,
            awaited_until=now + timedelta(seconds=case.patience_s) if case.patience_s else None,
        )


def to_restart(agent: str, asked_by: str, place: str, trace_id: str) -> Question:
    """Somebody who is no operator wants a new process for `agent`."""
    facts = (("Said in", place), ("Undo", "not needed: it takes up what it was working on"))
    return Question(
        kind=RequestKind.RESTART,
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


def _same(request: Request, new: NewRequest) -> bool:
    return _key(request) == _key(new)


def _key(one: Request | NewRequest) -> tuple[str, str, str, int | None, str]:
    return (one.kind, one.subject, one.waiter, one.cost_micros, one.currency)


def _bill(request: Request, by: str, cost: str, gain: str) -> Completion:
    """What a person says that it cost; raises `Undecidable` for what is no sum."""
    try:
        paid = parse(cost, request.currency)
        earned = parse(gain, paid.currency) if gain.strip() else None
    except NoMoney as error:
        raise Undecidable(f"Nothing is noted: {error}.") from error
    for money in (paid, earned):
        if money is not None and money.currency != (request.currency or paid.currency):
            wanted = request.currency or paid.currency
            raise Undecidable(f"{request.code} is in {wanted}: say the sum in {wanted}.")
    return Completion(
        by=by,
        currency=paid.currency,
        paid_micros=paid.micros,
        earned_micros=_micros(earned),
    )


def _micros(money: Money | None) -> int | None:
    return None if money is None else money.micros
