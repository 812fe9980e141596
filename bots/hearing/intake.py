"""What an agent does with a line the moment its socket read it: reflexes first, then the record.

Nothing is answered from here. Who owes the line a look is decided by rules that give the same
result in every agent, so it does not matter which of them stores it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from bots.answering.worklist import CHANNEL_PRIORITY, COMMAND_PRIORITY, PRIVATE_PRIORITY
from bots.commands.parse import Spoken, parse
from bots.hearing import gate
from bots.hearing.imitation import imitated
from bots.hearing.listening import Ears
from bots.hearing.short import is_short, is_stop
from bots.messages import DISCORD, Heard, Place, owner_of
from bots.roster import Roster
from bots.settings import Settings
from storage.record import NewLine, Owed
from storage.tables import LineKind

_NICKS_REMEMBERED = 1_000
#: a line that was said longer ago than this before it was heard is history
PLAYBACK_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Reflexes:
    """What must happen at once, ahead of the store."""

    #: end the current work of this session: session key, who said so
    stop: Callable[[str, str], object]
    #: a kill was spoken: the line and the command in it
    kill: Callable[[Heard, Spoken], object]


class Intake:
    """One agent's first look at each line."""

    def __init__(
        self,
        agent: str,
        settings: Settings,
        roster: Roster,
        commands: Container[str],
        *,
        ears: Ears,
        reflexes: Reflexes,
        lag_s: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        """`lag_s` tells how long nobody looked before the line that is read now."""
        self._agent = agent
        self._settings = settings
        self._roster = roster
        self._commands = commands
        self._ears = ears
        self._reflexes = reflexes
        self._lag_s = lag_s
        self._log = log
        self._looked_at: set[str] = set()
        self._bots = {nick.lower() for nick in settings.irc.bots}

    def heard(self, heard: Heard) -> None:
        """Take one line; called by the transport, in order."""
        ignored = heard.network == DISCORD and self._settings.discord.peers == "ignore"
        if ignored and self._is_bot(heard) and self._roster.speaker(heard) is None:
            return
        self._look_at(heard)
        if heard.where.place is Place.CHANNEL:
            self._in_channel(heard)
        elif heard.kind is LineKind.SAID and not heard.is_own:
            self._in_private(heard)

    def _look_at(self, heard: Heard) -> None:
        """Say once who could be taken for one of us and is not."""
        nick = heard.text if heard.kind is LineKind.NICK else heard.sender
        ours = self._roster.speaker(replace(heard, sender=nick))
        if heard.is_own or nick in self._looked_at or ours:
            return
        if len(self._looked_at) >= _NICKS_REMEMBERED:
            self._looked_at.clear()
        self._looked_at.add(nick)
        agent = imitated(nick, (a.name for a in self._settings.agents))
        if agent is not None:
            says = f"{nick} ({heard.userhost}) could be taken for {agent} and is not"
            self._log.warning("imitation", says=says)

    def _in_channel(self, heard: Heard) -> None:
        channel = heard.where.name
        speaker = self._agent if heard.is_own else self._roster.speaker(heard)
        addressed, spoken = self._understood(heard, channel, speaker)
        session = f"{heard.network}:{channel}"
        if spoken is not None and spoken.name == "kill":
            self._reflexes.kill(heard, spoken)
        called = speaker is None and self._agent in addressed.agents
        if called and is_stop(addressed.text) and not heard.missed:
            self._reflexes.stop(session, heard.sender)
        owed = self._owed(addressed, spoken, channel, session, speaker)
        self._ears.heard(self._line(heard, channel, speaker, owed))

    def _understood(
        self, heard: Heard, channel: str, speaker: str | None
    ) -> tuple[gate.Addressed, Spoken | None]:
        """Whom a line in a channel is for, and the command in it."""
        place = self._settings.channel(channel)
        if heard.kind is not LineKind.SAID or place.listen_only:
            return gate.Addressed((), heard.text), None
        here = self._roster.addressable(heard.network, channel)
        addressed = gate.addressees(heard.text, here, by_agent=speaker is not None)
        spoken = self._command(heard, addressed.text if addressed.agents else heard.text, speaker)
        is_bot = speaker is None and self._is_bot(heard)
        if not addressed.agents and spoken is None and speaker is None and not is_bot:
            # Nobody is called by name: who was replied to, whose thread it is, who answers always.
            owner = owner_of(channel)
            meant = (heard.answers or owner,) if heard.answers or owner else place.free_response
            addressed = gate.Addressed(tuple(a for a in meant if a in here.values()), heard.text)
        if is_bot and not self._answers_bots(heard):
            addressed = gate.Addressed((), heard.text)
        return addressed, spoken

    def _answers_bots(self, heard: Heard) -> bool:
        return heard.network != DISCORD or self._settings.discord.peers == "answer"

    def _owed(
        self,
        addressed: gate.Addressed,
        spoken: Spoken | None,
        channel: str,
        session: str,
        speaker: str | None,
    ) -> tuple[Owed, ...]:
        if spoken is not None and not addressed.agents:
            # A steering command's target is whom to steer; the listener answers for all.
            if spoken.target is None or spoken.name in ("kill", "resume", "restart"):
                return (Owed(self._agent, session, COMMAND_PRIORITY, session),)
            named = self._targets(spoken.target, session)
            return tuple(Owed(a, session, COMMAND_PRIORITY) for a in named)
        urgent = spoken is not None or (speaker is None and is_short(addressed.text))
        priority = COMMAND_PRIORITY if urgent else CHANNEL_PRIORITY
        return tuple(Owed(a, session, priority) for a in addressed.agents if a != speaker)

    def _targets(self, target: str, session: str) -> list[str]:
        here = set(self._roster.addressable(*session.split(":", 1)).values())
        kind, _, name = target.partition(":")
        return [
            a.name
            for a in self._settings.agents
            if a.name in here
            and (
                target == "all"
                or (kind == "agent" and name in (a.name.lower(), a.nick.lower()))
                or (kind == "role" and name == a.role.lower())
            )
        ]

    def _in_private(self, heard: Heard) -> None:
        speaker = self._roster.speaker(heard)
        if self._is_bot(heard) and speaker is None and not self._answers_bots(heard):
            return
        session = str(heard.where)
        spoken = self._command(heard, heard.text, speaker)
        if spoken is not None and spoken.name == "kill":
            self._reflexes.kill(heard, spoken)
        if speaker is None and is_stop(heard.text) and not heard.missed:
            self._reflexes.stop(session, heard.sender)
        urgent = spoken is not None or (speaker is None and is_short(heard.text))
        priority = COMMAND_PRIORITY if urgent else PRIVATE_PRIORITY
        owed = (Owed(self._agent, session, priority),)
        line = self._line(heard, f"nick:{self._agent}", speaker, owed)
        # Its own name, so that a line stored twice from the journal is one line.
        self._ears.heard_in_private(replace(line, msgid=line.msgid or f"parley:{line.trace_id}"))

    def _command(self, heard: Heard, text: str, speaker: str | None) -> Spoken | None:
        """The command in this line if it is one that exists; only people command."""
        if speaker is not None or self._is_bot(heard) or heard.network == DISCORD:
            # Discord has slash commands: one picker entry a command.
            return None
        prefix = self._settings.irc.command_prefix
        if heard.where.place is Place.CHANNEL:
            prefix = self._settings.prefix_in(heard.where.name)
        spoken = parse(text, prefix)
        late = heard.said_at is not None and heard.heard_at - heard.said_at > PLAYBACK_AFTER
        if spoken is not None and late and spoken.signed is None:
            # A bouncer or the server plays back history: what was ordered then is no order now. (A
            # signature has a time of its own.)
            self._log.warning("command.played_back", sender=heard.sender, command=spoken.name)
            return None
        return spoken if spoken is not None and spoken.name in self._commands else None

    def _is_bot(self, heard: Heard) -> bool:
        return heard.is_bot or heard.sender.lower() in self._bots

    def _line(
        self, heard: Heard, channel: str, speaker: str | None, owed: tuple[Owed, ...]
    ) -> NewLine:
        return NewLine(
            network=heard.network,
            channel=channel,
            sender=heard.sender,
            account=heard.account,
            kind=heard.kind,
            text=heard.text,
            said_at=heard.said_at or heard.heard_at,
            heard_at=heard.heard_at,
            heard_by=self._agent,
            lag_s=self._lag_s(),
            msgid=heard.msgid,
            agent=speaker,
            # A bot that is none of ours counts as one hop: it gets answers, but not for ever.
            hops=1 if speaker is not None or self._is_bot(heard) else 0,
            trace_id=secrets.token_hex(8),
            owed=owed,
        )
