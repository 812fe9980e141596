"""Speaks a log into an IRC server: one connection a nick, in the order of the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bots.irc.casemapping import fold
from bots.irc.splitting import split_text
from bots.replay.connection import Connection, Gone, NickRefused
from bots.replay.nicks import Nicks
from bots.replay.parse import Event, EventKind

#: RFC 1459 section 2.3, less CR LF
LINE_BYTES = 510
#: ``:nick!user@host PRIVMSG #channel :`` as others get it; the host is the longest allowed
HOST_BYTES = 63
#: connections that are opened at the same time; small servers queue five
OPENING = 4
#: after so many events, or so long a wait, every connection empties its buffer
DRAIN_EVENTS = 150
DRAIN_S = 5.0
#: what to assume where the server names no NICKLEN
NICK_LIMIT = 30
USER = "replay"
TALK = {EventKind.SAID: "PRIVMSG", EventKind.ACTION: "PRIVMSG", EventKind.NOTICE: "NOTICE"}
#: tries for a nick before its owner is left out
NICK_TRIES = 5


@dataclass
class Spoken:
    """What became of a log."""

    #: lines of talk that the server accepted (a long one may count several)
    lines: int = 0
    #: events told by kind
    told: Counter[str] = field(default_factory=Counter)
    #: events that cannot be told here, by why
    skipped: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    #: what the server refused, by its own words
    refused: Counter[str] = field(default_factory=Counter)


class Speaker:
    """Tells events in their order; the server has worked through one before the next is sent."""

    def __init__(self, host: str, port: int, channel: str, *, taken: frozenset[str]) -> None:
        self._host = host
        self._port = port
        self._channel = channel
        self._nicks = Nicks(NICK_LIMIT, taken)
        #: by folded nick of the log
        self._open: dict[str, Connection] = {}
        self._last: Connection | None = None
        self.spoken = Spoken()

    async def seat(self, events: Sequence[Event]) -> None:
        """Bring in who was there when the log began: all who act without having joined.

        Raises `OSError` when the server cannot be reached, `Gone` when it sends us away.
        """
        turns = asyncio.Semaphore(OPENING)

        async def enter(nick: str) -> None:
            async with turns:
                await self._present(nick)

        async with asyncio.TaskGroup() as group:
            for nick in present_at_start(events):
                group.create_task(enter(nick))

    async def tell(
        self, events: Sequence[Event], due_s: Sequence[float], on_told: Callable[[int], None]
    ) -> Spoken:
        """Tell every event when it is due (seconds from now); `on_told` gets the count so far."""
        clock = asyncio.get_running_loop().time
        start_s = clock()
        for count, (event, due) in enumerate(zip(events, due_s, strict=True), 1):
            await self._wait_until(start_s + due)
            await self._tell(event)
            on_told(count)
            if count % DRAIN_EVENTS == 0:
                self._drain()
        await self._settle()
        return self.spoken

    async def leave(self) -> None:
        """Everybody quits; nothing of ours stays on the server."""
        connections = list(self._open.values())
        self._open.clear()
        for connection in connections:
            self.spoken.refused.update(connection.refusals)
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(connection.quit("end of the log"))

    def abort(self) -> None:
        """End every connection without a word, when there is no time to say one."""
        for connection in self._open.values():
            connection.abort()

    async def _wait_until(self, moment_s: float) -> None:
        clock = asyncio.get_running_loop().time
        while (wait_s := moment_s - clock()) > 0:
            await asyncio.sleep(min(wait_s, DRAIN_S))
            self._drain()

    def _drain(self) -> None:
        for connection in self._open.values():
            connection.drain()

    async def _settle(self) -> None:
        """Wait until what the last speaker said was accepted, so that the next comes after it."""
        if self._last is not None:
            await self._last.barrier()
            self._last = None

    async def _tell(self, event: Event) -> None:
        key = fold(event.other if event.kind is EventKind.KICK else event.nick)
        if self._last is not None and self._open.get(key) is not self._last:
            await self._settle()
        if event.kind in TALK:
            await self._say(event)
        elif event.kind is EventKind.JOIN:
            await self._present(event.nick)
        elif event.kind in (EventKind.PART, EventKind.QUIT, EventKind.KICK):
            await self._go(key, event)
        elif event.kind is EventKind.NICK:
            await self._rename(event)
        elif event.kind is EventKind.TOPIC:
            connection = await self._present(event.nick)
            connection.send(f"TOPIC {self._channel} :{event.text}")
            self._last = connection
        else:
            self.spoken.skipped["modes are not replayed"] += 1
            return
        self.spoken.told[event.kind] += 1

    async def _say(self, event: Event) -> None:
        if not event.text.strip():
            self.spoken.skipped["nothing was said"] += 1
            return
        connection = await self._present(event.nick)
        overhead = len(f":{self._nicks.of(event.nick)}!{USER}@ {self._channel} PRIVMSG :".encode())
        action = event.kind is EventKind.ACTION
        room = LINE_BYTES - HOST_BYTES - overhead - (9 if action else 0)
        for part in split_text(event.text, room):
            text = f"\x01ACTION {part}\x01" if action else part
            connection.send(f"{TALK[event.kind]} {self._channel} :{text}")
            self.spoken.lines += 1
        self._last = connection

    async def _present(self, nick: str) -> Connection:
        """This nick's connection, in the channel; opened when there is none."""
        key = fold(nick)
        known = self._open.get(key)
        if known is not None and not known.closed:
            return known
        connection = await Connection.open(self._host, self._port)
        self._open[key] = connection
        self.spoken.connections += 1
        await self._register(connection, nick)
        connection.send(f"JOIN {self._channel}")
        await connection.barrier()
        return connection

    async def _register(self, connection: Connection, nick: str) -> None:
        wanted, register = self._nicks.of(nick), True
        for _ in range(NICK_TRIES):
            try:
                if register:
                    await connection.register(wanted, USER)
                else:
                    await connection.again(wanted)
            except NickRefused as refused:
                wanted = self._nicks.refuse(nick, malformed=refused.malformed)
                register = False
            else:
                self._nicks.limit = connection.nick_limit or self._nicks.limit
                return
        raise Gone(f"the server takes no nick for {nick}")

    async def _go(self, key: str, event: Event) -> None:
        connection = self._open.pop(key, None)
        if connection is None:
            self.spoken.skipped["left without having been there"] += 1
            return
        if connection is self._last:
            await self._settle()
        reason = event.text
        if event.kind is EventKind.KICK:
            # Nobody here is a channel operator, so the victim goes by itself.
            reason = f"kicked by {event.nick}: {event.text}"
        if event.kind is not EventKind.QUIT:
            connection.send(f"PART {self._channel} :{reason}")
            await connection.barrier()
        self.spoken.refused.update(connection.refusals)
        await connection.quit(reason)

    async def _rename(self, event: Event) -> None:
        connection = await self._present(event.nick)
        key, new_key = fold(event.nick), fold(event.other)
        ghost = self._open.get(new_key)
        if ghost is not None and ghost is not connection:
            # The log did not show how the nick became free.
            await self._open.pop(new_key).quit("")
        wanted = self._nicks.of(event.other)
        for _ in range(NICK_TRIES):
            try:
                await connection.rename(wanted)
            except NickRefused as refused:
                wanted = self._nicks.refuse(event.other, malformed=refused.malformed)
            else:
                break
        self._open[new_key] = self._open.pop(key)


def present_at_start(events: Sequence[Event]) -> list[str]:
    """Nicks whose first event shows that they were there before: pure."""
    seen: dict[str, str] = {}
    there: list[str] = []
    for event in events:
        if event.kind is EventKind.MODE or (
            event.kind in (EventKind.PART, EventKind.QUIT, EventKind.KICK)
        ):
            continue
        key = fold(event.nick)
        if key not in seen:
            seen[key] = event.nick
            if event.kind is not EventKind.JOIN:
                there.append(event.nick)
        if event.kind is EventKind.NICK:
            seen.setdefault(fold(event.other), event.other)
    return there
