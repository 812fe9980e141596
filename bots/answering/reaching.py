"""What a tool may do outside beside the answer: say a line elsewhere, react to one, read a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bots.answering.mouth import Mouth, Unsaid, state_of
from bots.messages import Delivery, Outgoing, Target, TargetError
from bots.transport import Transport
from brain.errors import Refused, ToolError
from storage import record
from storage.acts import Act, Permit
from storage.errors import LeaseLost, PermitRefused
from storage.tables import Message, ReplyState


@dataclass(frozen=True)
class Reaching:
    """One turn's reach; every act has a permit of its own."""

    mouth: Mouth
    epoch: int
    #: why, in one sentence
    why: str
    trace_id: str

    async def say(self, target: str, text: str, hops: int) -> str:
        """As `brain.tools.context.Say`."""
        try:
            deliveries = await self._say(Target.parse(target), text, hops)
        except (TargetError, Unsaid, LeaseLost) as error:
            raise ToolError(f"not said: {error}") from error
        lost = [d for d in deliveries if state_of(d) is not ReplyState.SENT]
        if not deliveries or all(state_of(d) is ReplyState.FAILED for d in deliveries):
            raise ToolError(f"not said: {lost[0].proof if lost else 'there is nothing in it'}")
        return f"not said as a whole: {lost[0].proof}" if lost else "said"

    async def _say(self, target: Target, text: str, hops: int) -> list[Delivery]:
        transport = self.mouth.transports.get(target.network)
        if transport is None:
            raise Unsaid(f"{self.mouth.agent} is not on {target.network}")
        if not transport.has_replies:
            # There each line would be one of its own, and a list of them a flood.
            text = " ".join(text.split())
        outgoing = Outgoing(target=target, text=text, hops=hops, trace_id=self.trace_id)
        return await self.mouth.say(outgoing, epoch=self.epoch, why=self.why)

    async def share(self, place: Target, hops: int, name: str, text: str) -> str:
        """Attach a file at `place`; raises `ToolError`, `Refused`, `StorageError`."""
        said = f"[attachment {name}]"
        outgoing = Outgoing(target=place, text=said, hops=hops, trace_id=self.trace_id)
        try:
            delivery = await self.mouth.attach(outgoing, name, text, epoch=self.epoch, why=self.why)
        except Unsaid as error:
            raise ToolError(f"not attached: {error}") from error
        if not delivery.sent:
            raise ToolError(f"not attached: {delivery.proof}")
        return "attached"

    async def react(self, message_id: int, emoji: str) -> str:
        """As `brain.tools.context.React`."""
        line, transport = await self._line(message_id)
        place = _place(line)
        permit = await self._permit("mark", place, line)
        try:
            done = await transport.react(place, line.msgid or "", emoji, permit)
        except PermitRefused as error:
            raise ToolError(f"not permitted: {error}") from error
        if not done:
            raise ToolError(f"{line.network} would not take {emoji}")
        return f"reacted with {emoji}"

    async def fetch(self, message_id: int, name: str) -> str:
        """As `brain.tools.context.Fetch`."""
        line, transport = await self._line(message_id)
        place = _place(line)
        await self._permit("fetch", place, line)
        text = await transport.attachment(place, line.msgid or "", name)
        if text is None:
            raise ToolError(f"{name} cannot be read: it is gone, or no text, or too large")
        return text

    async def _permit(self, verb: str, place: Target, line: Message) -> Permit:
        act = Act(
            agent=self.mouth.agent,
            verb=verb,
            target=str(place),
            reason=self.why,
            trace_id=self.trace_id,
            details={"message": hashlib.sha256(str(line.msgid).encode()).hexdigest()[:16]},
        )
        try:
            return await self.mouth.guard.permit(act)
        except Refused as error:
            raise ToolError(f"not permitted: {error}") from error

    async def _line(self, message_id: int) -> tuple[Message, Transport]:
        async with self.mouth.store.reading() as unit:
            line = await record.line(unit, message_id)
        if line is None or line.msgid is None:
            raise ToolError("the network has no name for that line")
        transport = self.mouth.transports.get(line.network)
        if transport is None or not transport.has_replies:
            raise ToolError(f"{line.network} has neither reactions nor files")
        return line, transport


def _place(line: Message) -> Target:
    """Where a recorded line was said."""
    if line.channel.startswith("nick:"):
        return Target.person(line.network, line.sender, line.account)
    return Target.channel(line.network, line.channel)


def targets_of(transports: Mapping[str, Transport]) -> Sequence[str]:
    """Typed addresses of the channels in which the agent sits now."""
    return [
        f"{network}:{channel}"
        for network, transport in transports.items()
        for channel in transport.health.channels
    ]
