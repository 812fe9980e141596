"""Who asks for a command, where, and by what words: a chat line and a slash command alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bots.commands.parse import Spoken
from bots.control.operators import Evidence
from bots.control.signatures import Signed
from bots.messages import DISCORD
from storage.inbox import Work


@dataclass(frozen=True, kw_only=True)
class Asked:
    #: name as it was shown, and what the network vouches for: services account or Discord user id
    sender: str
    account: str | None
    network: str
    #: as the record names it: ``#lobby``, or ``nick:<agent>`` in private
    channel: str
    session: str
    trace_id: str
    #: the whole line, or what a slash command would look like as one
    text: str
    #: the command without its prefix, as an operator may have signed it
    words: str
    heard_at: datetime
    #: ``agent:NAME``, ``role:ROLE`` or ``all``: who was called upon to answer
    target: str | None = None
    #: it was asked of nobody in particular: who answers, answers for all
    of_all: bool = False
    #: ids of Discord roles that the one who asks has
    roles: tuple[str, ...] = ()
    signed: Signed | None = None
    #: the line in the record, and the inbox row that owes it an answer; None for a slash command
    message_id: int | None = None
    inbox_id: int | None = None
    #: id of the interaction, None for a line
    interaction: str | None = None

    @classmethod
    def by_line(cls, work: Work, words: str, spoken: Spoken) -> Asked:
        """A command that was spoken; `words` is the line's command without its prefix."""
        return cls(
            sender=work.sender,
            account=work.account,
            network=work.network,
            channel=work.channel,
            session=work.session,
            trace_id=work.trace_id,
            text=work.text,
            words=words,
            heard_at=work.heard_at,
            target=spoken.target,
            of_all=work.listener_of is not None,
            signed=spoken.signed,
            message_id=work.message_id,
            inbox_id=work.inbox_id,
        )

    @property
    def in_private(self) -> bool:
        return self.channel.startswith("nick:")

    @property
    def where(self) -> str:
        """Where an agent has to be to take part: ``in #lobby``; ``on discord``, whose bots are in
        every channel, and in private ``on irc``.
        """
        anywhere = self.in_private or self.network == DISCORD
        return f"on {self.network}" if anywhere else f"in {self.channel}"

    @property
    def evidence(self) -> Evidence:
        """What shows that the one who asks may steer."""
        return Evidence.of(self.network, self.account, roles=self.roles, signed=self.signed)
