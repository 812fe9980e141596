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

    @property
    def wanted(self) -> str:
        return fitting(self._config.nick, self._rules.nick_length or len(self._config.nick))

    @property
    def is_displaced(self) -> bool:
        return not self._hearing.is_me(self.wanted)

    def begin(self) -> None:
        """Look whether we have the wanted nick, and act if not; harmless when called often."""
        if self.is_displaced and not self._waiting:
            self._try()

    def read(self, line: Line) -> None:
        """Call it after the hearing has taken in `line`."""
        if line.command not in ("NICK", "QUIT"):
            return
        if self.is_displaced and self._rules.fold(line.sender) == self._rules.fold(self.wanted):
            self._wire.send(f"NICK {self.wanted}")
        self.begin()

    def _try(self) -> None:
        services = self._config.services_nick
        secret = self._secret()
        wait_s = self._config.regain_s
        if secret is not None and self._tries == 0:
            self._wire.send(f"PRIVMSG {services} :REGAIN {self.wanted}{secret}")
            wait_s = min(wait_s, _SERVICES_S)
        elif secret is not None and self._tries == 1:
            self._wire.send(f"PRIVMSG {services} :GHOST {self.wanted}{secret}")
            wait_s = min(wait_s, _SERVICES_S)
        else:
            self._wire.send(f"NICK {self.wanted}")
        self._tries += 1
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
