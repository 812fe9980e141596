"""From the server's lines to what was heard: who said, did, joined or left what, and where."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from bots.irc.formatting import plain
from bots.irc.identities import Identities
from bots.irc.line import Line
from bots.irc.members import Members
from bots.irc.rules import ServerRules
from bots.messages import Heard, Place, Target
from storage.tables import LineKind

#: names under which services write notices to people
_SERVICES = frozenset(
    {
        "authserv",
        "botserv",
        "chanserv",
        "global",
        "helpserv",
        "hostserv",
        "infoserv",
        "memoserv",
        "nickserv",
        "operserv",
        "q",
        "saslserv",
        "x3",
    }
)
#: who came, went or changed something: needs somebody and, but for NICK and QUIT, a channel
_PRESENCE = frozenset({"JOIN", "PART", "KICK", "QUIT", "NICK", "TOPIC"})
_CTCP = "\x01"
_ACTION = "ACTION"


class Hearing:
    """`hear` takes every line of one connection in order and returns what deserves the swarm's ear.

    It keeps members, accounts and our own nick up to date on the way. `enabled` holds the
    capabilities in use: a tag counts only when its capability is on.
    """

    def __init__(
        self, *, network: str, services_nick: str, rules: ServerRules, enabled: Collection[str]
    ) -> None:
        self._network = network
        self._services_nick = services_nick
        self._rules = rules
        self._enabled = enabled
        self._histories: set[str] = set()
        self._readers: dict[str, Callable[[Line, datetime], list[Heard]]] = {
            "PRIVMSG": self._talk,
            "NOTICE": self._talk,
            "JOIN": self._join,
            "PART": self._part,
            "KICK": self._kick,
            "QUIT": self._quit,
            "NICK": self._nick,
            "TOPIC": self._topic,
            "353": self._names,
            "BATCH": self._batch,
            "CHGHOST": self._changed_host,
        }
        self.members = Members()
        self.identities = Identities(rules)
        #: our own nick and, once the server has shown it, our user@host
        self.me = ""
        self.my_userhost = ""

    def hear(self, line: Line, now: datetime) -> list[Heard]:
        """What `line`, read at `now` (aware UTC), means to the swarm; often nothing."""
        if line.userhost and self.is_me(line.sender):
            self.my_userhost = line.userhost
        self.identities.learn(line, self._enabled)
        reader = self._readers.get(line.command)
        if reader is None or (line.command in _PRESENCE and not self._makes_sense(line)):
            return []
        return reader(line, now)

    def is_me(self, nick: str) -> bool:
        return bool(nick) and self._rules.fold(nick) == self._rules.fold(self.me)

    def own(self, target: Target, text: str, now: datetime) -> Heard:
        """A line that we said and the server took, on servers that do not echo."""
        return self._heard(
            Line(command="PRIVMSG", sender=self.me, userhost=self.my_userhost),
            now,
            LineKind.SAID,
            target.name,
            plain(text),
        )

    def _makes_sense(self, line: Line) -> bool:
        if line.command == "QUIT":
            return bool(line.sender)
        if line.command == "NICK":
            return bool(line.sender and line.param(0))
        return bool(line.sender) and self._rules.is_channel(line.param(0))

    def _heard(self, line: Line, now: datetime, kind: LineKind, where: str, text: str) -> Heard:
        place = Place.CHANNEL if self._rules.is_channel(where) else Place.NICK
        on = self._enabled
        return Heard(
            network=self._network,
            where=Target(self._network, place, self._rules.fold(where)),
            sender=line.sender,
            kind=kind,
            text=text,
            heard_at=now,
            userhost=line.userhost,
            account=self.identities.account_of(line, on),
            said_at=line.time if "server-time" in on else None,
            msgid=line.tags.get("msgid") if "message-tags" in on else None,
            is_bot=self.identities.is_bot(line),
            is_own=self.is_me(line.sender),
        )

    def _talk(self, line: Line, now: datetime) -> list[Heard]:
        if not line.userhost or len(line.params) < 2:
            return []
        if line.tags.get("batch") in self._histories and not line.tags.get("msgid"):
            return []  # played back, and nothing tells it from the line that was heard before
        kind, text = LineKind.SAID, line.params[1]
        if line.command == "NOTICE":
            kind = LineKind.NOTICE
        if text.startswith(_CTCP):
            verb, _, text = text.strip(_CTCP).partition(" ")
            if verb.upper() != _ACTION or line.command == "NOTICE":
                return []
            kind = LineKind.ACTION
        where = self._rules.channel_of(line.params[0])
        if where is None:
            if self._is_service(line):
                return []
            where = line.params[0] if self.is_me(line.sender) else line.sender
        text = plain(text)
        return [self._heard(line, now, kind, where, text)] if text.strip() else []

    def _is_service(self, line: Line) -> bool:
        """Talk with services, either way: the echo of what we tell them holds passwords."""
        services = self._rules.fold(self._services_nick)
        addressee = self._rules.fold(line.params[0].partition("@")[0])
        sender = self._rules.fold(line.sender)
        if services in (sender, addressee):
            return True
        return line.command == "NOTICE" and sender in _SERVICES

    def _join(self, line: Line, now: datetime) -> list[Heard]:
        channel = line.param(0)
        self.members.join(self._rules.fold(channel), self._rules.fold(line.sender), line.sender)
        return [self._heard(line, now, LineKind.JOIN, channel, "")]

    def _part(self, line: Line, now: datetime) -> list[Heard]:
        channel = line.param(0)
        heard = self._heard(line, now, LineKind.PART, channel, plain(_from(line, 1)))
        self._gone(channel, line.sender)
        return [heard]

    def _kick(self, line: Line, now: datetime) -> list[Heard]:
        channel, victim = line.param(0), line.param(1)
        if not victim:
            return []
        text = f"{victim}: {plain(_from(line, 2))}"
        self._gone(channel, victim)
        return [self._heard(line, now, LineKind.KICK, channel, text)]

    def _gone(self, channel: str, nick: str) -> None:
        folded = self._rules.fold(nick)
        if self.is_me(nick):
            here = self.members.nicks(self._rules.fold(channel))
            self.members.leave(self._rules.fold(channel))
            for other in here:
                # Out of our sight somebody else may take the nick: its account is known no longer.
                if not self.members.channels_of(self._rules.fold(other)):
                    self.identities.forget(other)
            return
        self.members.part(self._rules.fold(channel), folded)
        if not self.members.channels_of(folded):
            self.identities.forget(nick)

    def _quit(self, line: Line, now: datetime) -> list[Heard]:
        reason = plain(line.words)
        channels = self.members.quit(self._rules.fold(line.sender))
        heard = [self._heard(line, now, LineKind.QUIT, channel, reason) for channel in channels]
        self.identities.forget(line.sender)
        return heard

    def _nick(self, line: Line, now: datetime) -> list[Heard]:
        new = line.param(0)
        fold = self._rules.fold
        channels = self.members.rename(fold(line.sender), fold(new), new)
        heard = [self._heard(line, now, LineKind.NICK, channel, new) for channel in channels]
        self.identities.rename(line.sender, new)
        if self.is_me(line.sender):
            self.me = new
        return heard

    def _topic(self, line: Line, now: datetime) -> list[Heard]:
        return [self._heard(line, now, LineKind.TOPIC, line.param(0), plain(_from(line, 1)))]

    def _names(self, line: Line, now: datetime) -> list[Heard]:
        """353: ``me = #channel :@alice!user@host +bob`` (one prefix or more)."""
        del now
        channel = self._rules.fold(line.param(2))
        for entry in line.words.split():
            nick = entry.lstrip(self._rules.prefixes).partition("!")[0]
            if nick:
                self.members.join(channel, self._rules.fold(nick), nick)
        return []

    def _batch(self, line: Line, now: datetime) -> list[Heard]:
        """Remember which batches are played-back history (IRCv3 batch, chathistory)."""
        del now
        reference = line.param(0)
        if reference.startswith("+") and line.param(1) == "chathistory":
            self._histories.add(reference[1:])
        elif reference.startswith("-"):
            self._histories.discard(reference[1:])
        return []

    def _changed_host(self, line: Line, now: datetime) -> list[Heard]:
        """IRCv3 chghost: the prefix that the server puts before our lines has a new length."""
        del now
        if self.is_me(line.sender):
            self.my_userhost = f"{line.param(0)}@{line.param(1)}"
        return []


def _from(line: Line, index: int) -> str:
    """The reason or topic, where the server sent one."""
    return line.params[index] if len(line.params) > index else ""
