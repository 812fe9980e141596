"""What one IRC connection needs to know, secrets already resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class IrcConfig:
    #: name of the agent that speaks here; also the user name and the real name
    agent: str
    #: first word of every target on this network, ``irc`` in ``irc:#lobby``
    network: str = "irc"
    host: str
    port: int
    tls: bool = False
    #: PEM file of the authority that signed the server's certificate; system ones if None
    tls_authority: Path | None = None
    nick: str
    channels: tuple[str, ...] = ()
    server_password: str | None = field(default=None, repr=False)
    #: services account; the nick unless given
    account: str | None = None
    account_password: str | None = field(default=None, repr=False)
    #: PEM file with certificate and key for SASL EXTERNAL
    certificate: Path | None = None
    #: who keeps accounts; ``NickServ@services.example`` is delivered to that server only,
    #: so that nobody who takes the nick on a network without services gets to read a password
    services_nick: str = "NickServ"
    #: lines that may go out at once, and how many a second after that
    burst: int = 5
    lines_per_s: float = 2.0
    #: connecting and registering together may take this long
    registration_s: float = 30.0
    #: first and longest pause between two connections, before jitter
    reconnect_first_s: float = 0.5
    reconnect_most_s: float = 120.0
    #: shortest pause after the server said that we connect too often
    throttled_s: float = 30.0
    #: silent for this long: we send a PING; silent for `pong_s` more: the connection is deaf
    silence_s: float = 60.0
    pong_s: float = 30.0
    #: how long `say` waits for proof after its last line
    proof_s: float = 10.0
    #: pause between two tries to get the wanted nick back
    regain_s: float = 30.0
    #: pause before the first rejoin after a kick; doubles up to `rejoin_most_s`
    rejoin_first_s: float = 5.0
    rejoin_most_s: float = 600.0

    @property
    def services_name(self) -> str:
        """The nick under which services answer."""
        return self.services_nick.partition("@")[0]
