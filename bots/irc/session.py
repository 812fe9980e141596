"""One connection from first byte to last: wires the rooms of this package, decides little."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bots.irc import ctcp
from bots.irc.boarding import Boarding
from bots.irc.config import IrcConfig
from bots.irc.connection import new_connection
from bots.irc.hearing import Hearing
from bots.irc.line import Line
from bots.irc.proofs import Proofs
from bots.irc.regain import Regain
from bots.irc.registration import Registration
from bots.irc.rooms import Rooms
from bots.irc.rules import ServerRules
from bots.irc.sasl import Credentials, Outcome
from bots.irc.speech import Speech
from bots.irc.watchdog import Verdict, Watchdog
from bots.irc.wire import Log, Wire
from bots.messages import Delivery, Heard, Target
from bots.pacing import TokenBucket

_VERSION = "Parley, a swarm of chat bots"
_THROTTLED = re.compile(
    r"throttl|too (fast|many|quick)|reconnect|banned|[kgz]-?lined", re.IGNORECASE
)
#: ERROR and the end of the socket follow a QUIT at once; who waits longer talks to a dead server
_FAREWELL_S = 2.0
_CTCP_BURST = 3
#: what people say changes nothing about our health, and there is much of it
_TALK = ("PRIVMSG", "PONG")
_CTCP_PER_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Ending:
    #: why the connection ended, in words for people
    why: str
    #: another try would end the same way
    fatal: bool = False
    #: the server wants us to come back later
    throttled: bool = False


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Where a session tells what it learns. `on_heard` and `on_change` must not raise."""

    on_heard: Callable[[Heard], None]
    on_change: Callable[[], None]
    clock: Callable[[], datetime]
    before_join: Callable[[str], Awaitable[None]]


class Session:
    """`run` it once; `say` while `is_ready`; `quit` ends it."""

    def __init__(
        self, config: IrcConfig, rooms: Rooms, calls: Callbacks, *, rng: random.Random, log: Log
    ) -> None:
        loop = asyncio.get_running_loop()
        self._config = config
        self._rooms = rooms
        self._calls = calls
        self._log = log
        self._clock = calls.clock
        self._connection = new_connection(loop, on_line=self._read, on_lost=self._lost)
        self._wire = wire = Wire(self._connection, loop, log)
        self._rules = rules = ServerRules(self._connection.features)
        self._registration = _registration(config)
        enabled = self._registration.caps.enabled
        self.hearing = Hearing(
            network=config.network,
            services_nick=config.services_name,
            rules=rules,
            enabled=enabled,
        )
        self._proofs = Proofs(rules.fold, self._said)
        self.speech = Speech(config, wire, self._proofs, enabled=enabled, rng=rng)
        self.boarding = Boarding(
            rooms=rooms,
            wire=wire,
            speech=self.speech,
            hearing=self.hearing,
            rules=rules,
            before_join=calls.before_join,
        )
        self._regain = Regain(config, wire, self.hearing, rules, lambda: self._registration.account)
        self._ctcp = TokenBucket(_CTCP_BURST, _CTCP_PER_S, now_s=wire.now_s())
        self._watchdog = Watchdog(config.silence_s, config.pong_s, now_s=wire.now_s())
        self._ended: asyncio.Future[Ending] = loop.create_future()
        self._last_error = ""
        self._services_said = ""
        self.is_ready = False

    @property
    def rules(self) -> ServerRules:
        return self._rules

    async def run(self, tls: ssl.SSLContext | None) -> Ending:
        """Connect and stay until the connection ends; errors of the network become an `Ending`."""
        try:
            return await self._run(tls)
        finally:
            self.is_ready = False
            self._proofs.lost("the connection ended before the server answered")
            self._wire.cut()
            self._connection.abort()

    async def _run(self, tls: ssl.SSLContext | None) -> Ending:
        self._wire.later(self._config.registration_s, self._check_registered)
        opening = asyncio.ensure_future(
            self._connection.open(self._config.host, self._config.port, tls)
        )
        try:
            either: set[asyncio.Future[Any]] = {opening, self._ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():  # asked to stop, or too slow
                return await self._ended
            await opening
        except ssl.SSLCertVerificationError as error:
            why = f"The server's certificate is not trusted: {error.verify_message}"
            return Ending(why=why, fatal=True)
        except OSError as error:
            return Ending(why=f"Cannot connect to {self._config.host}:{self._config.port}: {error}")
        finally:
            opening.cancel()
        self._send(self._registration.start())
        self._watch()
        return await self._ended

    async def say(
        self, target: Target, parts: Sequence[str], veto: Callable[[], str]
    ) -> list[Delivery]:
        return await self.speech.say(target, parts, veto)

    async def quit(self, farewell: str) -> None:
        """Say goodbye and wait shortly for the server to hang up."""
        if self._wire.is_up:
            self._wire.send(f"QUIT :{farewell}")
            await asyncio.wait({self._ended}, timeout=_FAREWELL_S)
        self._end(Ending(why="we left"))

    def notes(self) -> list[str]:
        """What a person should know about this connection, a sentence each."""
        found = []
        if self.is_ready and self._regain.is_displaced:
            why = self._registration.collision or "somebody else has it"
            found.append(f"The nick {self._regain.wanted} is not ours ({why}).")
        if self._services_said and not self._registration.account:
            found.append(f"{self._config.services_name} says: {self._services_said}")
        if self._registration.sasl_outcome is Outcome.REFUSED:
            found.append("The network refused the SASL login.")
        found += [f"Not in {trouble}" for trouble in self._rooms.troubles()]
        return found

    def _read(self, line: Line) -> None:
        self._watchdog.heard(self._wire.now_s())
        if line.command == "PING":
            self._wire.send(f"PONG :{line.words}")
            return
        if line.command == "ERROR":
            self._last_error = line.words
        own = self.hearing.is_me(line.sender)
        self._send(self._registration.receive(line))
        if self._registration.refusal:
            self._end(Ending(why=self._registration.refusal, fatal=True))
            return
        if line.command == "001":
            self.hearing.me = self._registration.nick
        self.boarding.read(line)
        for heard in self.hearing.hear(line, self._clock()):
            self._calls.on_heard(heard)
        self._proofs.read(line, own=own)
        self._regain.read(line)
        self._answer(line)
        if line.command not in _TALK:
            self._calls.on_change()

    def _answer(self, line: Line) -> None:
        if line.command in ("376", "422") and not self.is_ready:
            self._ready()
        elif line.command == "PRIVMSG" and not self.hearing.is_me(line.sender):
            answer = ctcp.reply(line.param(1), version=_VERSION)
            if answer and line.userhost and self._ctcp.try_take(self._wire.now_s()):
                self._wire.send(f"NOTICE {line.sender} :{answer}")
        elif line.command == "NOTICE" and self._rules.fold(line.sender) == self._rules.fold(
            self._config.services_name
        ):
            self._services_said = line.words

    def _ready(self) -> None:
        """Registered, and 005 is read: log in, get the nick, mark ourselves as a bot, join."""
        self.is_ready = True
        config, registration = self._config, self._registration
        if self._rules.bot_mode:
            self._wire.send(f"MODE {self.hearing.me} +{self._rules.bot_mode}")
        if config.account_password and registration.sasl_outcome is not Outcome.SUCCEEDED:
            account = config.account or config.nick
            secret = f"{account} {config.account_password}"
            self._wire.send(f"PRIVMSG {config.services_nick} :IDENTIFY {secret}")
        self._regain.begin()
        self._rooms.refold(self._rules.fold)
        self.boarding.enter(self._rooms.missing())
        self._log.info("irc_ready", nick=self.hearing.me, host=config.host, port=config.port)

    def _said(self, target: Target, text: str) -> None:
        self._calls.on_heard(self.hearing.own(target, text, self._clock()))

    def _send(self, lines: list[str]) -> None:
        for line in lines:
            self._wire.send(line)

    def _check_registered(self) -> None:
        if not self.is_ready:
            limit_s = self._config.registration_s
            self._end(Ending(why=f"The server did not let us in within {limit_s:g} s."))

    def _watch(self) -> None:
        verdict, again_s = self._watchdog.look(self._wire.now_s())
        if verdict is Verdict.DEAF:
            self._end(Ending(why="The connection was deaf: no line and no answer to our PING."))
            return
        if verdict is Verdict.ASK:
            self._wire.send("PING :still-there")
        self._wire.later(max(0.01, again_s - self._wire.now_s()), self._watch)

    def _lost(self, why: str) -> None:
        words = self._last_error or why
        self._end(
            Ending(
                why=f"The connection ended: {words}",
                throttled=bool(self._last_error and _THROTTLED.search(self._last_error)),
            )
        )

    def _end(self, ending: Ending) -> None:
        if not self._ended.done():
            self._ended.set_result(ending)


def _registration(config: IrcConfig) -> Registration:
    has_certificate = config.tls and config.certificate is not None
    credentials = None
    if has_certificate or config.account_password:
        credentials = Credentials(
            account=config.account or config.nick,
            password=config.account_password,
            has_certificate=has_certificate,
        )
    return Registration(
        nick=config.nick,
        name=config.agent,
        server_password=config.server_password,
        credentials=credentials,
    )
