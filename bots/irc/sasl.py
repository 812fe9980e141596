"""SASL PLAIN and EXTERNAL as a state machine (IRCv3 SASL 3.2, RFC 4616, RFC 4422 appendix A)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bots.irc.line import Line

#: longest AUTHENTICATE payload; a full one says that more follows
CHUNK = 400

_REFUSALS = ("902", "904", "905", "906")


class Outcome(StrEnum):
    WORKING = "working"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    account: str
    password: str | None = field(default=None, repr=False)
    #: the TLS connection presents a client certificate
    has_certificate: bool = False

    def mechanisms(self, offered: str) -> list[str]:
        """What we can do of what is `offered` (``PLAIN,EXTERNAL``; empty: not told)."""
        able = ["EXTERNAL"] if self.has_certificate else []
        able += ["PLAIN"] if self.password is not None else []
        known = offered.upper().split(",") if offered else able
        return [mechanism for mechanism in able if mechanism in known]


def chunks(payload: bytes) -> list[str]:
    """`payload` in base64, cut at 400; ``+`` ends an empty one and an exact multiple."""
    text = base64.b64encode(payload).decode("ascii")
    parts = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    return parts if len(text) % CHUNK else [*parts, "+"]


class Exchange:
    """One login: tries `mechanisms` in order until the server says yes or none is left."""

    def __init__(self, credentials: Credentials, mechanisms: Sequence[str]) -> None:
        self._credentials = credentials
        self._left = list(mechanisms)
        self._mechanism = ""
        self.outcome = Outcome.WORKING
        #: the server's words about a refusal
        self.reason = ""

    def start(self) -> list[str]:
        """The line that begins the next mechanism; none left means refused."""
        if not self._left:
            self.outcome = Outcome.REFUSED
            return []
        self._mechanism = self._left.pop(0)
        return [f"AUTHENTICATE {self._mechanism}"]

    def receive(self, line: Line) -> list[str]:
        """Answer AUTHENTICATE and the numerics 902 to 908; other lines are not for us."""
        if self.outcome is not Outcome.WORKING:
            return []
        if line.command == "AUTHENTICATE" and line.param(0) == "+":
            return [f"AUTHENTICATE {part}" for part in chunks(self._payload())]
        if line.command in ("903", "907"):
            self.outcome = Outcome.SUCCEEDED
        elif line.command == "908":
            known = line.param(1).upper().split(",")
            self._left = [mechanism for mechanism in self._left if mechanism in known]
        elif line.command in _REFUSALS:
            self.reason = line.words
            return self.start()
        return []

    def _payload(self) -> bytes:
        if self._mechanism == "EXTERNAL":
            return b""
        password = self._credentials.password or ""
        return f"\0{self._credentials.account}\0{password}".encode()
