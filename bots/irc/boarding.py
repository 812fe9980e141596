"""Getting into channels and back into them: after connecting, a kick, a ban, a forced part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from bots.irc.hearing import Hearing
from bots.irc.line import Line
from bots.irc.rooms import Rooms
from bots.irc.rules import ServerRules
from bots.irc.speech import Speech
from bots.irc.wire import Wire

#: why a JOIN was refused: no such channel, too many, busy, full, invited only, banned, key, mask,
#: registered or TLS users only
_REFUSALS = frozenset(
    {"403", "405", "437", "470", "471", "473", "474", "475", "476", "477", "479", "489", "520"}
)
_BYTES_A_JOIN = 400
_CHANNELS_A_JOIN = 10


class Boarding:
    def __init__(
        self,
        *,
        rooms: Rooms,
        wire: Wire,
        speech: Speech,
        hearing: Hearing,
        rules: ServerRules,
        before_join: Callable[[str], Awaitable[None]],
    ) -> None:
        self._rooms = rooms
        self._wire = wire
        self._speech = speech
        self._hearing = hearing
        self._rules = rules
        self._before_join = before_join

    def enter(self, folded: list[str]) -> None:
        """Join these rooms soon: each after its `before_join`, many in one line.

        When a `before_join` raises, the rooms are tried again as after a kick.
        """
        if folded:
            self._wire.spawn(self._enter(folded), on_failure=partial(self._failed, folded))

    def read(self, line: Line) -> None:
        """Follow what happens to us. Call it before the hearing forgets who was where."""
        match line.command:
            case "JOIN" if self._hearing.is_me(line.sender):
                self._arrived(self._rules.fold(line.param(0)))
            case "PART" if self._hearing.is_me(line.sender):
                self._kept_out(line.param(0), f"parted by the server: {line.param(1)}", slow=False)
            case "KICK" if self._hearing.is_me(line.param(1)):
                why = f"kicked by {line.sender}: {line.param(2)}"
                self._kept_out(line.param(0), why, slow=False)
            case number if number in _REFUSALS:
                if not self._rooms.is_in(self._rules.fold(line.param(1))):
                    self._kept_out(line.param(1), f"{line.words} ({number})", slow=True)

    async def _enter(self, folded: list[str]) -> None:
        for some in self._chunks(folded):
            for channel in some:
                await self._before_join(channel)
            await self._speech.pace()
            wanted = [self._rooms.name(c) for c in some if self._rooms.wants(c)]
            if wanted:
                self._wire.send(f"JOIN {','.join(wanted)}")

    def _failed(self, folded: list[str]) -> None:
        for channel in folded:
            if not self._rooms.is_in(channel):
                self._kept_out(channel, "preparing to join failed; the log says why", slow=False)

    def _chunks(self, folded: list[str]) -> list[list[str]]:
        chunks: list[list[str]] = [[]]
        for channel in folded:
            longer = ",".join([*chunks[-1], channel])
            if chunks[-1] and (
                len(chunks[-1]) == _CHANNELS_A_JOIN or len(longer.encode()) > _BYTES_A_JOIN
            ):
                chunks.append([])
            chunks[-1].append(channel)
        return chunks

    def _arrived(self, folded: str) -> None:
        self._rooms.joined(folded, now_s=self._wire.now_s())
        if self._rules.bot_mode:
            self._wire.spawn(self._ask_who(folded))

    async def _ask_who(self, folded: str) -> None:
        """WHO shows which of those present are marked as bots."""
        await self._speech.pace()
        self._wire.send(f"WHO {self._rooms.name(folded)}")

    def _kept_out(self, channel: str, why: str, *, slow: bool) -> None:
        folded = self._rules.fold(channel)
        wait_s = self._rooms.kept_out(folded, why, slow=slow, now_s=self._wire.now_s())
        if wait_s is not None:
            self._wire.later(wait_s, partial(self._retry, folded))

    def _retry(self, folded: str) -> None:
        if self._rooms.wants(folded) and not self._rooms.is_in(folded):
            self.enter([folded])
