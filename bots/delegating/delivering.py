"""Saying what came of a delegation, where it is wanted: once, with proof, or shown as unknown.

The row says who has to say it; the lines carry its id. Whoever takes over from a dead process finds
by them what was begun: a line that may have left is never said again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.answering.mouth import Mouth, Unsaid
from bots.delegating.bells import Bells
from bots.messages import Outgoing, Target, TargetError
from brain.errors import Refused
from storage import delegations, replies
from storage.delegation_tables import Delegation, Deliver
from storage.errors import LeaseLost, StorageError
from storage.tables import Reply, ReplyState
from storage.unit import Unit

#: what stands on IRC, where each line is a message of its own
_IRC_LINES: Final = 12
_ID: Final = ("id:", "msgid:")


@dataclass(frozen=True)
class Delivering:
    mouth: Mouth
    epoch: int
    log: FilteringBoundLogger
    #: says what was found last; empty when all of that is said
    saying: set[asyncio.Task[None]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    @property
    def is_busy(self) -> bool:
        """What was found before is still being said."""
        return any(not task.done() for task in self.saying)

    def begin(self, owed: Sequence[Delegation], bells: Bells) -> None:
        """Say these, which may take its time; what is found meanwhile is said at a later look.

        Raises what nobody foresaw when others were said.
        """
        for task in [task for task in self.saying if task.done()]:
            self.saying.discard(task)
            task.result()
        if owed and not self.saying:
            self.saying.add(asyncio.create_task(self._deliver_all(owed, bells)))

    async def _deliver_all(self, owed: Sequence[Delegation], bells: Bells) -> None:
        settled: list[Delegation] = []
        try:
            for one in owed:
                if await self.deliver(one):
                    settled.append(one)
                    bells.changed(one.sender, one.code)
        except StorageError as error:
            self.log.warning("deliveries.unsaid", error=str(error))
        if settled:
            # There may be more by now.
            bells.wake()

    async def deliver(self, owed: Delegation) -> bool:
        """Say one result; False while that has to wait. Raises `StorageError`."""
        delegation_id = owed.id or 0
        begun = await self.mouth.store.read(lambda unit: replies.of_delegation(unit, delegation_id))
        if any(line.state == ReplyState.SENDING for line in begun):
            # A dead predecessor's: whoever settles those rows tells what became of them.
            return False
        told, refused = {line.target for line in begun}, ""
        for target in owed.deliver_to.split():
            if target in told:
                continue
            try:
                await self._say(owed, target)
            except (Unsaid, LeaseLost) as error:
                # With a lost lease it is somebody else's to say and to settle.
                self.log.info("delivery.waits", why=str(error), trace_id=owed.trace_id)
                return False
            except (Refused, TargetError) as error:
                refused = refused or f"not in {target}: {error}"
        await self._settle(delegation_id, refused)
        return True

    async def _say(self, owed: Delegation, target: str) -> None:
        place = Target.parse(target)
        transport = self.mouth.transports.get(place.network)
        if transport is None:
            raise Refused(f"{self.mouth.agent} is not on {place.network}", policy="network")
        text = wording(owed)
        if not transport.has_replies:
            text = shortened(transport.split(place, text))

        async def begun(unit: Unit, ids: list[int]) -> None:
            await self._require_unsaid(unit, owed, str(place), ids)

        outgoing = Outgoing(
            target=place,
            text=text,
            hops=owed.hops + 1,
            trace_id=owed.trace_id,
            delegation_id=owed.id,
        )
        await self.mouth.say(outgoing, epoch=self.epoch, why=f"{owed.code} is done", begun=begun)

    async def _require_unsaid(
        self, unit: Unit, owed: Delegation, target: str, ours: list[int]
    ) -> None:
        """Looked at in the transaction that records the lines `ours`, so that of two processes of
        one agent, or of one that slept too long, only one says it. Raises `LeaseLost`.
        """
        row = await delegations.read(unit, owed.id or 0, to_change=True)
        if row is None or row.deliver != Deliver.OWED or row.deliver_by != self.mouth.agent:
            raise LeaseLost(f"{owed.code} is not {self.mouth.agent}'s to say any more")
        lines = await replies.of_delegation(unit, owed.id or 0)
        if any(line.target == target and line.id not in ours for line in lines):
            raise LeaseLost(f"{owed.code} is being said in {target} already")

    async def _settle(self, delegation_id: int, refused: str) -> None:
        async def settle(unit: Unit) -> None:
            how, message_id, proof = told_of(await replies.of_delegation(unit, delegation_id))
            if refused:
                how, proof = Deliver.FAILED, refused
            await delegations.delivered(unit, delegation_id, how, message_id, proof)

        await self.mouth.store.write(settle)


def wording(delegation: Delegation) -> str:
    """What is said: the result itself, or that there is none."""
    return delegation.result or f"{delegation.code} came to nothing: {delegation.error}"


def shortened(lines: Sequence[str]) -> str:
    """As many of the lines that a network makes of a result as may stand in an IRC channel."""
    if len(lines) > _IRC_LINES:
        rest = len(lines) - _IRC_LINES + 1
        lines = [*lines[: _IRC_LINES - 1], f"… {rest} lines more"]
    return "\n".join(lines)


def told_of(lines: Sequence[Reply]) -> tuple[Deliver, str, str]:
    """How far the result came, the message that shows it, and what proves that."""
    unsent = [line for line in lines if line.state != ReplyState.SENT]
    if not lines:
        return Deliver.FAILED, "", "there was nothing to say"
    message_id = _id_of(lines[0])
    if not unsent:
        return Deliver.SENT, message_id, lines[0].proof
    if all(line.state == ReplyState.FAILED for line in lines):
        return Deliver.FAILED, "", unsent[0].proof
    return Deliver.UNKNOWN, message_id, unsent[0].proof


def _id_of(line: Reply) -> str:
    """The network's id of the message; where it gives none, our own of the line."""
    scheme, colon, network_id = line.proof.partition(":")
    return network_id if f"{scheme}{colon}" in _ID else f"reply:{line.id}"
