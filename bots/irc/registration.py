"""From the first byte to 001 as a state machine: CAP, SASL, NICK and USER. Lines in, lines out."""

from __future__ import annotations

from bots.irc.capabilities import WANTED, Negotiation
from bots.irc.line import Line
from bots.irc.nicks import SAFE_LENGTH, alternative, fitting
from bots.irc.sasl import Credentials, Exchange, Outcome

#: servers tell NICKLEN only after registration, so this is a guess that 432 corrects
_ASSUMED_NICK_LENGTH = 30
#: RFC 1459 has no limit; servers cut the user name to about this
_USER_LENGTH = 10
_MOST_NICKS = 40


class Registration:
    """`start` gives the opening lines, `receive` answers each line until `welcomed` or `refusal`.

    A server that does not know CAP answers 421 or nothing and registers us on NICK and USER alone,
    so nothing here waits for a CAP answer.
    """

    def __init__(
        self,
        *,
        nick: str,
        name: str,
        server_password: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self._wanted = nick
        self._name = name
        self._server_password = server_password
        self._credentials = credentials
        self._longest = _ASSUMED_NICK_LENGTH
        self._tries = 0
        self._ended = False
        self._exchange: Exchange | None = None
        self.caps = Negotiation(WANTED | {"sasl"} if credentials else WANTED)
        self.nick = nick
        #: the server's words when the wanted nick was taken
        self.collision = ""
        #: services account that the network confirmed (900)
        self.account: str | None = None
        self.welcomed = False
        #: why another try would end the same way, in one sentence
        self.refusal = ""

    def start(self) -> list[str]:
        password = [f"PASS :{self._server_password}"] if self._server_password else []
        user = fitting(self._name, _USER_LENGTH)
        return [
            *password,
            *self.caps.start(),
            f"NICK {self.nick}",
            f"USER {user} 0 * :{self._name}",
        ]

    def receive(self, line: Line) -> list[str]:
        """Lines to send in answer to `line`."""
        match line.command:
            case "CAP":
                return [*self.caps.receive(line.params), *self._go_on()]
            case "AUTHENTICATE" | "902" | "903" | "904" | "905" | "906" | "907" | "908":
                return self._authenticate(line)
            case "900":
                self.account = line.param(2) or None
            case "901":
                self.account = None
            case "001":
                self.welcomed = True
                self.nick = line.param(0) or self.nick
            case "432" | "433" | "436" | "437" if not self.welcomed:
                return self._next_nick(line)
            case "464" | "465" if not self.welcomed:
                self.refusal = self._explain(line)
        return []

    @property
    def sasl_outcome(self) -> Outcome | None:
        """None as long as no login was begun."""
        return self._exchange.outcome if self._exchange else None

    def _go_on(self) -> list[str]:
        """What follows a settled negotiation: log in when possible, else end it."""
        if not self.caps.settled:
            return []
        if self._exchange is None and "sasl" in self.caps.enabled and self._credentials:
            mechanisms = self._credentials.mechanisms(self.caps.offered.get("sasl", ""))
            if mechanisms:
                self._exchange = Exchange(self._credentials, mechanisms)
                return self._exchange.start()
        if self._exchange is None or self._exchange.outcome is Outcome.SUCCEEDED:
            return self._end()
        return []

    def _authenticate(self, line: Line) -> list[str]:
        if self._exchange is None:
            return []
        answer = self._exchange.receive(line)
        if self._exchange.outcome is Outcome.SUCCEEDED:
            return [*answer, *self._end()]
        if self._exchange.outcome is Outcome.REFUSED and not self.welcomed:
            self.refusal = f"The network refused the SASL login: {self._exchange.reason}"
        return answer

    def _end(self) -> list[str]:
        if self._ended or self.welcomed:
            return []
        self._ended = True
        return ["CAP END"]

    def _next_nick(self, line: Line) -> list[str]:
        if line.command == "432":
            if self._longest == SAFE_LENGTH:
                self.refusal = f"The server does not accept the nick {self._wanted}: {line.words}"
                return []
            self._longest = SAFE_LENGTH
        else:
            self._tries += 1
        if self._tries > _MOST_NICKS:
            self.refusal = f"The nick {self._wanted} and every alternative are taken."
            return []
        self.collision = line.words
        self.nick = alternative(self._wanted, self._tries, self._longest)
        return [f"NICK {self.nick}"]

    def _explain(self, line: Line) -> str:
        if line.command == "464":
            return f"The server wants another password (464): {line.words}"
        return f"The server has banned us (465): {line.words}"
