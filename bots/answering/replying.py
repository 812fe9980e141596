"""How an answer is worded and placed on its network: whom it names, how long it may be, whether
it is shown while it grows.
"""

from __future__ import annotations

from dataclasses import dataclass

from bots.answering.growing import Growing
from bots.answering.mouth import Mouth
from bots.answering.placing import Placing, place_of
from bots.hearing import gate
from bots.messages import Delivery, Outgoing, Target
from bots.roster import Roster
from storage.inbox import Work


@dataclass(frozen=True)
class Replying:
    """One agent's way of answering lines."""

    epoch: int
    mouth: Mouth
    placing: Placing
    roster: Roster
    lines_in_channel: int

    async def reply(
        self,
        work: Work,
        text: str,
        *,
        why: str,
        command: str = "",
        settled: bool = False,
        place: Target | None = None,
    ) -> list[Delivery]:
        """Say `text` to who asked: where the network has no replies, short in the channel, longer
        in private with a word in the channel. An agent gets no private lines: what does not fit is
        left out.

        `settled`: the inbox row has ended already. `place`: elsewhere than where it was asked.
        Raises `Refused`, `StorageError`, `Unsaid`.
        """
        lines = [x for x in text.splitlines() if x.strip()]
        here = place_of(work)
        place = place or here

        async def say(target: Target, said: str, *, first_part: int = 0) -> list[Delivery]:
            outgoing = Outgoing(
                target=target,
                text=said,
                hops=work.hops + 1,
                trace_id=work.trace_id,
                inbox_id=None if settled else work.inbox_id,
                answers=work.msgid if target == here else None,
            )
            return await self.mouth.say(
                outgoing, epoch=self.epoch, why=why, command=command, first_part=first_part
            )

        roomy = self.mouth.transports[place.network].has_replies
        if work.said_by is not None:
            lines = lines[: self.lines_in_channel]
        elif roomy:
            # Blank lines and fences are part of what is shown there.
            lines = text.splitlines()
        if place.is_private:
            return await say(place, "\n".join(lines))
        if roomy:
            return await say(place, "\n".join(self._to_nobody(lines)))
        if len(lines) <= self.lines_in_channel:
            return await say(place, "\n".join(self._addressed(work, lines)))
        private = Target.person(work.network, work.sender, work.account)
        deliveries = await say(private, "\n".join(lines))
        if deliveries and deliveries[0].sent:
            word = f"{work.sender}: that takes {len(lines)} lines; you have them in private."
            deliveries += await say(place, word, first_part=len(deliveries))
        return deliveries

    def growing(self, work: Work, text: str) -> Growing | None:
        """What shows the answer while it is made: to people, where what was said can be changed."""
        if work.said_by is not None or not self.mouth.transports[work.network].can_edit:
            return None
        here = place_of(work)
        return Growing(
            self.mouth,
            self.epoch,
            f"{work.sender} asked",
            Outgoing(
                target=here,
                text="",
                hops=work.hops + 1,
                trace_id=work.trace_id,
                inbox_id=work.inbox_id,
                answers=work.msgid,
            ),
            place=lambda: self.placing.for_answer(work, text),
            shape=lambda said: (
                said if here.is_private else "\n".join(self._to_nobody(said.splitlines()))
            ),
        )

    def _addressed(self, work: Work, lines: list[str]) -> list[str]:
        """In a channel the first line names who asked, and no other line addresses anybody."""
        first = [f"{work.sender}: {lines[0]}"] if lines else []
        return [*first, *self._to_nobody(lines[1:])]

    def _to_nobody(self, lines: list[str]) -> list[str]:
        return gate.to_nobody(lines, self.roster.everybody())
