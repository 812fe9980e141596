"""Saying what came of a delegation, where it is wanted: once, with proof, or shown as unknown.

The row says who has to say it; the lines carry its id. Whoever takes over from a dead process finds
by them what was begun: a line that may have left is never said again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.answering.mouth import Mouth, Unsaid
from bots.messages import Delivery, Outgoing, Target
from brain.errors import Refused
from storage import delegations, replies
from storage.delegation_tables import Delegation, Deliver
from storage.errors import LeaseLost
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

    async def look(self) -> list[Delegation]:
        """Say what this agent owes; gives what is settled now. Raises `StorageError`."""
        store, agent = self.mouth.store, self.mouth.agent
        owed = await store.read(lambda unit: delegations.undelivered(unit, agent))
        return [one for one in owed if await self.deliver(one)]

    async def deliver(self, owed: Delegation) -> bool:
        """Say one result; False while that has to wait. Raises `StorageError`."""
        delegation_id = owed.id or 0
        begun = await self.mouth.store.read(lambda unit: replies.of_delegation(unit, delegation_id))
        if any(line.state == ReplyState.SENDING for line in begun):
            # A dead predecessor's: whoever settles those rows tells what became of them.
            return False
        told = {line.target for line in begun}
        try:
            for target in owed.deliver_to.split():
                if target not in told:
                    await self._say(owed, target)
        except Unsaid as error:
            self.log.info("delivery.waits", why=str(error), trace_id=owed.trace_id)
            return False
        except (Refused, LeaseLost) as error:
            await self._settle(owed, Deliver.FAILED, "", str(error))
            return True
        lines = await self.mouth.store.read(lambda unit: replies.of_delegation(unit, delegation_id))
        await self._settle(owed, *told_of(lines))
        return True

    async def _say(self, owed: Delegation, target: str) -> list[Delivery]:
        place = Target.parse(target)
        transport = self.mouth.transports.get(place.network)
        if transport is None:
            raise Refused(f"{self.mouth.agent} is not on {place.network}", policy="network")
        text = wording(owed)
        if not transport.has_replies:
            text = shortened(text)
        outgoing = Outgoing(
            target=place,
            text=text,
            hops=owed.hops + 1,
            trace_id=owed.trace_id,
            delegation_id=owed.id,
        )
        return await self.mouth.say(outgoing, epoch=self.epoch, why=f"{owed.code} is done")

    async def _settle(self, owed: Delegation, how: Deliver, message_id: str, proof: str) -> None:
        async def settle(unit: Unit) -> None:
            await delegations.delivered(unit, owed.id or 0, how, message_id, proof)

        await self.mouth.store.write(settle)


def wording(delegation: Delegation) -> str:
    """What is said: the result itself, or that there is none."""
    return delegation.result or f"{delegation.code} came to nothing: {delegation.error}"


def shortened(text: str) -> str:
    """As much as may stand in an IRC channel."""
    lines = text.splitlines()
    if len(lines) <= _IRC_LINES:
        return text
    return "\n".join([*lines[: _IRC_LINES - 1], f"… {len(lines) - _IRC_LINES + 1} lines more"])


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
