"""Handing out work: an order becomes a signed row, and somebody is nudged."""

from __future__ import annotations

import difflib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bots.delegating import seal
from bots.delegating.bells import Bells
from bots.delegating.choosing import Choosing
from bots.delegating.destinations import Destinations
from bots.delegating.order import (
    AUTO,
    CAPTAINS,
    LONGEST_DEADLINE,
    LONGEST_INSTRUCTION,
    Killed,
    NobodyOfThatName,
    NotAllowed,
    NotGiven,
    Order,
    Reused,
)
from bots.delegating.router import Router
from bots.delegating.waiting import Waiting
from bots.hooks.receiving import First
from bots.keys.holding import NoKey
from bots.keys.signer import Signer
from brain.delegation.authority import Authority
from brain.delegation.policy import VERB, target_of
from brain.delegation.wording import destination_of
from brain.errors import Refused
from brain.guard import UNRECORDED, Guard
from storage import delegating, delegations
from storage.acts import Act, Permit
from storage.delegation_tables import Delegation
from storage.delegations import NewDelegation, chain_of
from storage.errors import StoreUnavailable
from storage.latch import Latch
from storage.store import Store
from storage.unit import Unit

#: characters that are told apart when they are read aloud
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE: Final = 8


class Repeated(Exception):
    """The same asker gave something under the same key before."""


@dataclass(frozen=True, kw_only=True)
class DelegationDesk:
    """One agent's desk: what it gives, and what others give through its doors."""

    agent: str
    captain: str
    store: Store
    guard: Guard
    authority: Authority
    router: Router
    destinations: Destinations
    waiting: Waiting
    bells: Bells
    #: the key to sign the next row with; raises `NoKey`
    signer: Callable[[], Signer]
    latch: Callable[[str], Latch | None]
    #: hides secrets in what is kept
    clean: Callable[[str], str]
    clock: Callable[[], datetime]

    async def give(self, order: Order, first: First | None = None) -> Delegation:
        """Have it done; the same idempotency key of the same asker gives what it gave before.

        `first` is done in the transaction that takes the order, or before anything else is told:
        what it raises is raised. Raises `NotGiven` with its kinds, and `StorageError`.
        """
        try:
            order = self._checked(order)
            order = self.destinations.named_in(order)
            delegation = await self._added(await self._made(order), first)
        except (NotGiven, Repeated):
            if first is not None:
                await self.store.write(first)
            before = await self._given_before(order)
            if before is None:
                raise
            # What was given is not refused afterwards.
            return before
        self.bells.owed(delegation.agent)
        return delegation

    async def wait(self, code: str, wait_s: float) -> Delegation:
        """As `Waiting.until_settled`; raises `NotGiven` for a code that nothing has."""
        found = await self.waiting.until_settled(code, wait_s)
        if found is None:
            raise NobodyOfThatName(f"there is no delegation {code}")
        return found

    async def read(self, code: str) -> Delegation | None:
        return await self.store.read(lambda unit: delegations.by_code(unit, code))

    async def cancel(self, code: str, by: str, why: str) -> Delegation | None:
        """End it and all that was made for it; what has ended stays as it is. None: there is none.

        Raises `StorageError`.
        """
        reason = self.clean(f"cancelled by {by}" + (f": {why}" if why else ""))

        async def cancelled(unit: Unit) -> tuple[Delegation | None, list[Delegation]]:
            found = await delegations.by_code(unit, code)
            if found is None:
                return None, []
            ended = await delegating.cancel(unit, found, reason, self.clock())
            return await delegations.by_code(unit, code), ended

        found, ended = await self.store.write(cancelled)
        for one in ended:
            for concerned in {one.agent, one.sender}:
                self.bells.changed(concerned, one.code)
        if ended:
            self.bells.ended()
        return found

    async def say_later(self, code: str, target: str) -> Delegation | None:
        """Have the result said there once there is one, for nobody waits any longer; the row as it
        is then, which may have ended meanwhile. None: there is none that this agent signed.
        """

        async def redirect(unit: Unit) -> Delegation | None:
            row = await seal.own(unit, code, self.agent, self.clock())
            if row is None:
                return None
            anew = seal.resealed(row.model_copy(update={"deliver_to": target}), self.signer())
            return await delegating.redirect(unit, anew) or row

        return await self.store.write(redirect)

    async def tree(self, code: str) -> list[Delegation]:
        """All that belongs to this delegation's tree, oldest first."""
        found = await self.read(code)
        if found is None:
            return []
        return await self.store.read(lambda unit: delegations.tree(unit, found.root_id or 0))

    def _checked(self, order: Order) -> Order:
        words = order.instruction.strip()
        if not words:
            raise NotGiven("there is nothing to do in it: the instruction is empty")
        if len(words) > LONGEST_INSTRUCTION:
            raise NotGiven(f"the instruction is longer than {LONGEST_INSTRUCTION} characters")
        if not 0 < order.deadline.total_seconds() <= LONGEST_DEADLINE.total_seconds():
            raise NotGiven("a deadline is between a second and a day away")
        names = self.authority.allowed
        if order.to != AUTO and order.to not in names:
            near = difflib.get_close_matches(order.to, [*names, AUTO], 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
            raise NobodyOfThatName(f"there is no agent {order.to!r}{hint}")
        return replace(order, instruction=self.clean(words))

    def _require_alive(self, *agents: str) -> None:
        killed = self.router.killed(agents)
        if killed:
            agent, latch = next(iter(killed.items()))
            raise Killed(f"{agent} is killed: {latch.told}")

    async def _given_before(self, order: Order) -> Delegation | None:
        key = order.idempotency_key
        if key is None:
            return None
        before = await self.store.read(lambda unit: delegations.by_key(unit, order.asked_by, key))
        if before is not None and before.instruction not in self._readings(order):
            raise Reused(f"the key {key!r} was used for another instruction: {before.code}")
        return before

    def _readings(self, order: Order) -> set[str]:
        """How a row of this order reads, where it could be given, and as it is where it cannot."""
        words = self.clean(order.instruction.strip())
        if order.deliver_to or not order.may_name_place:
            return {words}
        return {words, destination_of(words)[0]}

    async def _made(self, order: Order) -> NewDelegation:
        """What the order comes to: who does it, signed. Raises `Repeated`."""
        if order.to == AUTO:
            if await self._given_before(order) is not None:
                # Who is best at it is not asked a second time.
                raise Repeated
            self._require_alive(self.agent)
        parent, chain = await self._descent(order)
        choosing = Choosing(self.agent, self.authority, self.router, self.latch)
        chosen = await choosing.of(order, chain)
        self._require_alive(self.agent, chosen.agent)
        new = self._new(order, parent, chain, chosen.agent)
        return self._sealed(replace(new, passed_to=chosen.passed_to, chosen=chosen.why))

    async def _descent(self, order: Order) -> tuple[Delegation | None, tuple[str, ...]]:
        """For what it is given, and through whose hands it came: this agent's last."""
        if order.parent_id is None:
            by_person = not order.asked_by.startswith("agent:")
            return None, () if by_person and order.to == self.agent else (self.agent,)
        parent_id = order.parent_id
        parent = await self.store.read(lambda unit: delegations.read(unit, parent_id))
        if parent is None:
            raise NotGiven("what it should be part of does not exist any more")
        return parent, (*chain_of(parent), self.agent)

    def _new(
        self, order: Order, parent: Delegation | None, chain: tuple[str, ...], receiver: str
    ) -> NewDelegation:
        now = self.clock()
        expires = now + order.deadline
        if receiver == self.agent:
            chain = ()
        return NewDelegation(
            code=f"D-{''.join(secrets.choice(_ALPHABET) for _ in range(_CODE))}",
            kind=order.kind,
            talk=order.talk,
            sender=self.agent,
            agent=receiver,
            among=" ".join(order.among),
            instruction=order.instruction,
            chain=chain,
            issued_at=now,
            expires_at=min(expires, parent.expires_at) if parent else expires,
            asked_by=order.asked_by,
            idempotency_key=order.idempotency_key,
            network=order.network,
            channel=order.channel,
            is_private=order.is_private or (parent is not None and parent.is_private),
            parent_id=parent.id if parent else None,
            root_id=parent.root_id if parent else None,
            priority=CAPTAINS if self.agent == self.captain else order.priority,
            tries=order.tries,
            deliver_to=order.deliver_to,
            trace_id=order.trace_id or (parent.trace_id if parent else secrets.token_hex(8)),
        )

    def _sealed(self, new: NewDelegation) -> NewDelegation:
        try:
            return seal.sealed(new, self.signer())
        except NoKey as error:
            raise NotGiven(str(error)) from error

    async def _added(self, new: NewDelegation, first: First | None) -> Delegation:
        """Raises `Repeated`, and `NotAllowed`."""

        async def add(unit: Unit, permit: Permit) -> Delegation:
            permit.check(VERB, target_of(new.agent), now_s=permit.good_until_s)
            if first is not None:
                await first(unit)
            parent = await delegations.read(unit, new.parent_id) if new.parent_id else None
            if parent is not None and parent.state not in delegations.OPEN:
                # Who was stopped, and does not know yet, hands over nothing more.
                raise NotGiven("what it should be part of has ended")
            delegation, is_new = await delegations.add(unit, new)
            if not is_new:
                # Nothing is handed over, and nothing is in the audit.
                raise Repeated
            return delegation

        act = Act(
            agent=self.agent,
            verb=VERB,
            target=target_of(new.agent),
            reason=f"{new.asked_by} asked for it",
            trace_id=new.trace_id,
            details={
                "code": new.code,
                "chain": list(new.chain),
                "passed_to": new.passed_to,
                "deliver_to": new.deliver_to,
                "sha256": hashlib.sha256(new.instruction.encode()).hexdigest(),
            },
        )
        try:
            return await self.guard.carry_out(act, add)
        except Refused as error:
            if error.policy == UNRECORDED:
                raise StoreUnavailable(error.reason) from error
            raise NotAllowed(error.reason) from error
