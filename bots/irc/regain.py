"""Getting the wanted nick back: by services when we have an account, and by asking again."""

from __future__ import annotations

from collections.abc import Callable

from bots.irc.config import IrcConfig
from bots.irc.hearing import Hearing
from bots.irc.line import Line
from bots.irc.nicks import fitting
from bots.irc.rules import ServerRules
from bots.irc.wire import Wire

#: services get this long to act before the next means is tried
_SERVICES_S = 5.0
#: what to ask them for, in order: renames us too, or only ends the other connection
_MEANS = ("REGAIN", "GHOST")


class Regain:
    """REGAIN first, then GHOST, then NICK every `regain_s`, and at once when the holder goes.

    `account` tells whether the network has logged us in, in which case no password is sent.
    """

    def __init__(
        self,
        config: IrcConfig,
        wire: Wire,
        hearing: Hearing,
        rules: ServerRules,
        account: Callable[[], str | None],
    ) -> None:
        self._config = config
        self._wire = wire
        self._hearing = hearing
        self._rules = rules
        self._account = account
        self._tries = 0
        self._waiting = False
        self._asked_services = False

    @property
    def wanted(self) -> str:
        return fitting(self._config.nick, self._rules.nick_length or len(self._config.nick))

    @property
    def is_displaced(self) -> bool:
        return not self._hearing.is_me(self.wanted)

    def begin(self, *, at_once: bool = False) -> None:
        """Look whether we have the wanted nick, and act if not; harmless when called often.

        `at_once`: services have answered, so the next means need not wait for its turn.
        """
        if self.is_displaced and (at_once or not self._waiting):
            self._try()

    def read(self, line: Line) -> None:
        """Call it after the hearing has taken in `line`."""
        if line.command == "NOTICE" and self._asked_services:
            if self._rules.fold(line.sender) == self._rules.fold(self._config.services_name):
                self._asked_services = False
                self.begin(at_once=True)
            return
        if line.command not in ("NICK", "QUIT"):
            return
        if self.is_displaced and self._rules.fold(line.sender) == self._rules.fold(self.wanted):
            self._wire.send(f"NICK {self.wanted}")
        self.begin()

    def _try(self) -> None:
        services = self._config.services_nick
        secret = self._secret()
        wait_s = self._config.regain_s
        self._asked_services = secret is not None and self._tries < len(_MEANS)
        if self._asked_services:
            means = _MEANS[self._tries]
            self._wire.send(f"PRIVMSG {services} :{means} {self.wanted}{secret}")
            wait_s = min(wait_s, _SERVICES_S)
        else:
            self._wire.send(f"NICK {self.wanted}")
        self._tries += 1
        if not self._waiting:
            self._waiting = True
            self._wire.later(wait_s, self._again)

    def _again(self) -> None:
        self._waiting = False
        self.begin()

    def _secret(self) -> str | None:
        """What follows the nick: nothing when logged in, else the password; None without either."""
        if self._account():
            return ""
        password = self._config.account_password
        return f" {password}" if password else None
