"""The IRC transport of one agent: stays connected, hears, and says what has a permit."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bots.clock import utc_now
from bots.irc.backoff import delay_s
from bots.irc.casemapping import fold
from bots.irc.config import IrcConfig
from bots.irc.rooms import Rooms
from bots.irc.rules import LINE_BYTES, ServerRules
from bots.irc.session import Callbacks, Ending, Session
from bots.irc.splitting import split_text
from bots.irc.tls import context_for
from bots.irc.wire import Log
from bots.messages import Delivery, Heard, Mark, Place, Target, TransportHealth
from bots.transport import PartBegun
from storage.acts import Permit
from storage.errors import PermitRefused

__all__ = ["IrcConfig", "IrcTransport"]

#: user@host at its longest, as long as the server has not shown us ours
_WIDEST_USERHOST = "~" + "u" * 10 + "@" + "h" * 63
#: room for a nick that grows by some underscores between splitting and saying
_SPARE_BYTES = 8
#: a connection that held this long starts the backoff anew
_STEADY_S = 30.0


def _no_veto(permit: Permit) -> str:
    return ""


class IrcTransport:
    """`run` until `stop`; what it learns goes to `on_heard` and `on_change`, which must not raise.

    `before_join(channel)` is awaited, with the folded name, before a JOIN is sent.
    """

    has_replies = can_edit = knows_keys = keeps_history = False

    def __init__(
        self,
        config: IrcConfig,
        *,
        on_heard: Callable[[Heard], None],
        on_change: Callable[[TransportHealth], None],
        before_join: Callable[[str], Awaitable[None]],
        rng: random.Random,
        log: Log,
        clock: Callable[[], datetime] = utc_now,
        veto: Callable[[Permit], str] = _no_veto,
    ) -> None:
        """`veto` is asked before every single line: why it may not be sent, empty when it may."""
        self._config = config
        self._calls = Callbacks(
            on_heard=on_heard, on_change=self._changed, clock=clock, before_join=before_join
        )
        self._on_change = on_change
        self._veto = veto
        self._rng = rng
        self._log = log
        self._rooms = Rooms(first_s=config.rejoin_first_s, most_s=config.rejoin_most_s, rng=rng)
        for channel in config.channels:
            self._rooms.want(fold(channel), channel)
        self._session: Session | None = None
        self._stopping = asyncio.Event()
        self._trouble = ""
        self._fatal = ""
        self._health = TransportHealth(connected=False)

    @property
    def network(self) -> str:
        return self._config.network

    @property
    def health(self) -> TransportHealth:
        return self._health

    async def run(self) -> None:
        """Connect, and again after every loss, until `stop` or until it makes no sense any more."""
        try:
            tls = context_for(self._config)
        except OSError as error:
            self._give_up(f"A TLS file cannot be used: {error}")
            return
        attempt = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            session = Session(self._config, self._rooms, self._calls, rng=self._rng, log=self._log)
            self._session = session
            try:
                ending = await session.run(tls)
            finally:
                self._session = None
                self._rooms.disconnected()
            if self._stopping.is_set():
                break
            if ending.fatal:
                self._give_up(ending.why)
                return
            attempt = 0 if time.monotonic() - began_s >= _STEADY_S else attempt
            await self._pause(attempt, ending)
            attempt += 1
        self._trouble = ""
        self._changed()

    async def stop(self, farewell: str) -> None:
        """QUIT with these words; `run` returns soon after."""
        self._stopping.set()
        if self._session is not None:
            await self._session.quit(farewell)

    def split(self, target: Target, text: str) -> list[str]:
        """Parts of `text` that each fit into one line to `target`, our prefix included."""
        return split_text(text, self._room_for(target) - _SPARE_BYTES)

    def is_open(self, channel: str) -> bool:
        """Whoever is let into a channel of IRC may be told of another: there are no secret ones."""
        return True

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str] = (),
        answers: str | None = None,
    ) -> list[Delivery]:
        """One `Delivery` for each part (made by `split`), in order. IRC knows neither keys nor
        replies.

        Raises `PermitRefused` when `permit` is not for sending to `target`, or stale.
        """
        permit.check("send", str(target), now_s=time.monotonic())
        if self._session is None or not self._session.is_ready:
            return [Delivery(sent=False, proof="not connected to IRC", unsaid=True) for _ in parts]
        refusal = self._objection(target, parts, self._session.rules)
        if refusal:
            return [Delivery(sent=False, proof=refusal) for _ in parts]
        if not parts:
            return []
        return await self._session.say(target, parts, lambda: self._vetoed(target, permit))

    async def send_file(
        self,
        target: Target,
        name: str,
        data: bytes,
        permit: Permit,
        *,
        key: str,
        text: str = "",
        answers: str | None = None,
    ) -> Delivery:
        """Refused: IRC has no files that everybody can take."""
        return Delivery(sent=False, proof="there are no files on IRC")

    def draft(
        self, target: Target, permit: Permit, *, begun: PartBegun, answers: str | None = None
    ) -> None:
        """What was said on IRC stays as it was said."""

    async def fetch_missed(self, channel: str, after: str | datetime) -> None:
        """Nothing: IRC keeps no history that could be told from what was heard."""

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        """Nothing: IRC has no reactions."""

    async def react(self, target: Target, message: str, emoji: str, permit: Permit) -> bool:
        """IRC has no reactions that people see."""
        return False

    async def attachment(self, target: Target, message: str, name: str) -> None:
        """IRC has no files."""

    async def typing(self, target: Target, permit: Permit) -> None:
        """Nothing: few networks show it."""

    async def open_thread(
        self, target: Target, message: str, name: str, permit: Permit
    ) -> Target | None:
        """None: IRC has no threads."""
        return None

    def _vetoed(self, target: Target, permit: Permit) -> str:
        """A permit was good when the first line left; a kill, or time, may have ended it since."""
        try:
            permit.check("send", str(target), now_s=time.monotonic())
        except PermitRefused as error:
            return str(error)
        return self._veto(permit)

    def _objection(self, target: Target, parts: Sequence[str], rules: ServerRules) -> str:
        """Why nothing can be sent there; empty when it can."""
        name = target.name
        if target.network != self._config.network:
            return f"{target} is not on the network {self._config.network}"
        if any(c.isspace() or c in ",\0" for c in name) or name[:1] in ":$@":
            return f"{name!r} is no IRC name"
        if rules.is_channel(name) != (target.place is Place.CHANNEL):
            return f"{target} is not a {target.place.value} on this server"
        room = LINE_BYTES - len(f"PRIVMSG {name} :\r\n".encode())
        if any(len(part.encode("utf-8", "replace")) > room for part in parts):
            return "a part is longer than a line; split it first"
        return ""

    def _room_for(self, target: Target) -> int:
        nick, userhost = self._config.nick, ""
        if self._session is not None:
            nick = self._session.hearing.me or nick
            userhost = self._session.hearing.my_userhost
        prefix = f":{nick}!{userhost or _WIDEST_USERHOST} PRIVMSG {target.name} :\r\n"
        return LINE_BYTES - len(prefix.encode())

    async def _pause(self, attempt: int, ending: Ending) -> None:
        config = self._config
        first_s = config.throttled_s if ending.throttled else config.reconnect_first_s
        wait_s = delay_s(
            attempt,
            first_s=first_s,
            most_s=max(config.reconnect_most_s, first_s),
            rng=self._rng,
        )
        self._trouble = f"{ending.why} Trying again in {wait_s:.0f} s."
        self._log.warning("irc_disconnected", why=ending.why, again_in_s=round(wait_s, 1))
        self._changed()
        try:
            async with asyncio.timeout(wait_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _give_up(self, why: str) -> None:
        self._fatal = why
        self._log.warning("irc_given_up", why=why)
        self._changed()

    def _changed(self) -> None:
        session = self._session
        ready = session is not None and session.is_ready
        notes = [] if session is None else session.notes()
        if ready:
            self._trouble = ""
        health = TransportHealth(
            connected=ready,
            nick=session.hearing.me if session is not None and ready else None,
            channels=self._rooms.present() if ready else (),
            fatal=self._fatal,
            note=" ".join([self._trouble, *notes]).strip() if not self._fatal else "",
            missing=self._rooms.absent(),
        )
        if health != self._health:
            self._health = health
            self._on_change(health)
