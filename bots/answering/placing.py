"""Where an answer goes: to the channel or the person that the line came from, or to a thread of its
own below the line, where the swarm is set up so and the network has threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bots.answering.matter import Matter
from bots.messages import THREAD, Target
from bots.transport import Transport
from brain.errors import Refused
from brain.guard import Guard
from storage.acts import Act
from storage.inbox import Work

#: characters of the line in a thread's title
_TITLE = 60


@dataclass(frozen=True)
class Placing:
    agent: str
    guard: Guard
    #: by network
    transports: Mapping[str, Transport]
    #: one thread for each line that calls an agent in a channel
    threads: bool

    async def for_answer(self, work: Work, asked: str) -> Target:
        """The place for what answers `work`; raises `StorageError`."""
        place = place_of(work)
        opened_before = THREAD in work.channel
        if not self.threads or place.is_private or opened_before or work.msgid is None:
            return place
        act = Act(
            agent=self.agent,
            verb="thread",
            target=str(place),
            reason=f"{work.sender} asked; answers stand in threads",
            trace_id=work.trace_id,
        )
        try:
            permit = await self.guard.permit(act)
        except Refused:
            # The guard says the same, with its reason, to the answer itself.
            return place
        # The title says who goes on answering in it: see `messages.owner_of`.
        title = f"{self.agent}: {' '.join(asked.split())[:_TITLE]}"
        thread = await self.transports[place.network].open_thread(place, work.msgid, title, permit)
        return thread or place


def place_of(work: Matter) -> Target:
    """Where a line was said."""
    if work.channel.startswith("nick:"):
        return Target.person(work.network, work.sender, work.account)
    return Target.channel(work.network, work.channel)
