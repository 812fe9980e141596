"""The guard: the only maker of permits. Every act is weighed by every policy and audited, in one
transaction.

A missing policy means no, and a store that cannot be reached means stop: what cannot be
recorded is not done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from brain.errors import Refused
from storage import audit
from storage.acts import Act, Permit
from storage.errors import StorageError, StoreUnavailable
from storage.latch import Latch
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")

#: how long a permit is good, in seconds: pacing on a slow network must fit in
GOOD_FOR_S = 60.0

#: the policy of a refusal because the decision could not be recorded: another time it may be a yes
UNRECORDED = "store"

#: what a killed agent may still do: values of an act's ``command`` detail, which code sets and
#: never a model
ALLOWED_WHEN_KILLED = frozenset({"status", "kill", "resume"})


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One policy's no."""

    policy: str
    #: a sentence for people
    reason: str
    #: the whole turn ends; otherwise the model is told and may try something else
    stops: bool = False


class Policy(Protocol):
    @property
    def name(self) -> str: ...

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        """None lets the act pass. Runs inside the guard's write transaction; raises
        `StorageError`.
        """


class LatchPolicy:
    """Killed agents do nothing but say so. `read` gives the latch that kills an agent, or None."""

    name = "latch"

    def __init__(self, read: Callable[[str], Latch | None]) -> None:
        self._read = read

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        _ = unit  # the latch file decides, so that a locked database cannot unlatch anybody
        latch = self._read(act.agent)
        if latch is None or act.details.get("command") in ALLOWED_WHEN_KILLED:
            return None
        return Refusal(policy=self.name, reason=latch.told, stops=True)


class Guard:
    """Weighs acts and makes permits. `monotonic` reads seconds, `now` aware UTC."""

    def __init__(
        self,
        store: Store,
        policies: Sequence[Policy],
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._policies = tuple(policies)
        self._monotonic = monotonic
        self._now = now

    async def permit(self, act: Act) -> Permit:
        """The permit for one act; raises `Refused`."""
        return (await self.permit_all([act]))[0]

    async def permit_all(self, acts: Sequence[Act]) -> list[Permit]:
        """One permit an act, in order; raises `Refused` when any of them is refused."""
        permits: list[Permit] = []
        for decision in await self.decide(acts):
            if isinstance(decision, Refusal):
                raise Refused(decision.reason, policy=decision.policy)
            permits.append(decision)
        return permits

    async def carry_out(
        self, act: Act, work: Callable[[Unit, Permit], Awaitable[T]], *, durable: bool = False
    ) -> T:
        """Do what is done by rows alone, in the transaction that records the decision: either both
        are there or neither is. Raises `Refused`, and whatever `work` raises.

        `work` runs in the transaction and waits for nothing else. What must survive a power cut is
        `durable`, as in `Store.write`.
        """

        async def decided(unit: Unit) -> Refusal | T:
            refusal, audit_hash = await self._decide(act, unit)
            return refusal or await work(unit, self._permit(act, audit_hash))

        try:
            done = await self._store.write(decided, durable=durable)
        except StoreUnavailable as error:
            reason = f"the decision could not be recorded: {error}"
            raise Refused(reason, policy=UNRECORDED) from error
        if isinstance(done, Refusal):
            raise Refused(done.reason, policy=done.policy)
        return done

    async def decide(self, acts: Sequence[Act]) -> list[Permit | Refusal]:
        """A permit or a refusal for each act, in order, all audited in one transaction.

        Raises `Refused` when the store cannot be reached: nothing may happen unrecorded.
        """

        async def decided_all(unit: Unit) -> list[tuple[Act, Refusal | None, str]]:
            return [(act, *await self._decide(act, unit)) for act in acts]

        try:
            decided = await self._store.write(decided_all)
        except StorageError as error:
            reason = f"the decision could not be recorded: {error}"
            raise Refused(reason, policy=UNRECORDED) from error
        # Made after the commit: a permit whose audit entry was rolled back never exists.
        return [
            refusal if refusal is not None else self._permit(act, audit_hash)
            for act, refusal, audit_hash in decided
        ]

    async def _decide(self, act: Act, unit: Unit) -> tuple[Refusal | None, str]:
        refusal = await self._weigh(act, unit)
        audit_hash = await audit.append(
            unit,
            agent=act.agent,
            at=self._now(),
            verb=act.verb,
            target=act.target,
            outcome="permitted" if refusal is None else "refused",
            reason=act.reason if refusal is None else refusal.reason,
            details=dict(act.details) | ({"policy": refusal.policy} if refusal else {}),
            trace_id=act.trace_id,
        )
        return refusal, audit_hash

    async def _weigh(self, act: Act, unit: Unit) -> Refusal | None:
        if not self._policies:
            return Refusal(policy="guard", reason="no policy is configured", stops=True)
        for policy in self._policies:
            refusal = await policy.weigh(act, unit)
            if refusal is not None:
                return refusal
        return None

    def _permit(self, act: Act, audit_hash: str) -> Permit:
        return Permit(act=act, audit_hash=audit_hash, good_until_s=self._monotonic() + GOOD_FOR_S)
