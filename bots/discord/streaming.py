"""An answer that is shown while it grows: one message, edited at a lawful rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bots.messages import Delivery, Target
from bots.transport import MORE, PartBegun
from storage.acts import Permit
from storage.errors import StorageError

#: characters by which a full message is made shorter until the mark has room; more than closes a
#: code block
_SHORTER = 8


class Voice(Protocol):
    """What a draft needs of `bots.discord.speech.Speech`."""

    async def say_one(
        self, target: Target, part: str, permit: Permit, *, key: str, answers: str | None = None
    ) -> Delivery: ...

    async def edit(self, target: Target, message: str, part: str, permit: Permit) -> Delivery: ...

    async def take_back(self, target: Target, message: str, permit: Permit) -> Delivery: ...


@dataclass
class _Shown:
    message: str
    text: str


class Draft:
    """As `bots.transport.Draft`. Nothing is sent or edited more often than every `every_s`, the
    last state is always shown, and what does not fit goes on in a second message, which comes
    before the first one loses its mark: whatever ends us in between, people see that it was cut.
    """

    def __init__(
        self,
        voice: Voice,
        target: Target,
        permit: Permit,
        *,
        begun: PartBegun,
        split: Callable[[str], list[str]],
        answers: str | None,
        every_s: float,
        now_s: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._voice = voice
        self._target = target
        self._permit = permit
        self._begun = begun
        self._split = split
        #: of the parts that were begun
        self._keys: list[str] = []
        self._answers = answers
        self._every_s = every_s
        self._now_s = now_s
        self._pause = pause
        self._parts: list[str] = []
        self._shown: list[_Shown] = []
        self._last_s: float | None = None
        self._failure: Delivery | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def standing(self) -> int:
        """How many messages of it are shown."""
        return len(self._shown)

    def grow(self, text: str) -> None:
        """The whole answer so far is `text`."""
        self._parts = self._split(text)
        if self._failure is not None and self._failure.unsaid:
            self._failure = None
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._catch_up())

    async def finish(self, text: str) -> list[Delivery]:
        """The answer is `text`: one `Delivery` for each of its parts, in order."""
        self.grow(text)
        assert self._pump is not None
        try:
            await asyncio.shield(self._pump)
        finally:
            await self.abandon()
        return [self._delivery(at, part) for at, part in enumerate(self._parts)]

    async def take_back(self) -> bool:
        """There is no answer: nothing of it stands any more; False where some of it may."""
        unknown = self._failure is not None and self._failure.unknown
        self._failure = None
        await self.finish("")
        return not self._shown and not unknown

    async def abandon(self) -> None:
        """Leave what is shown as it is."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def _catch_up(self) -> None:
        while self._failure is None and (step := self._next_step()) is not None:
            if self._last_s is not None:
                wait_s = self._last_s + self._every_s - self._now_s()
                if wait_s > 0:
                    await self._pause(wait_s)
                    continue  # it may have grown meanwhile
            self._last_s = self._now_s()
            await self._show(step)

    def _next_step(self) -> int | None:
        """Index of the first message that is not as it should be."""
        last = len(self._shown) - 1
        for at in range(min(len(self._parts), last)):
            if self._shown[at].text != self._parts[at]:
                return at
        if len(self._shown) < len(self._parts):
            return len(self._shown)
        if last >= 0 and (last >= len(self._parts) or self._shown[last].text != self._parts[last]):
            return last
        return None

    async def _show(self, at: int) -> None:
        if at >= len(self._parts):
            gone = self._shown[at].message
            delivery = await self._voice.take_back(self._target, gone, self._permit)
            if delivery.sent:
                del self._shown[at]
        elif at < len(self._shown):
            shown, part = self._shown[at], self._parts[at]
            delivery = await self._voice.edit(self._target, shown.message, part, self._permit)
            if delivery.sent:
                shown.text = part
        else:
            part = self._first_shown(at)
            delivery = await self._say(at, part)
            if delivery.sent:
                self._shown.append(_Shown(delivery.proof.removeprefix("id:"), part))
        if not delivery.sent:
            self._failure = delivery

    def _first_shown(self, at: int) -> str:
        """What a new message says: with the mark, as long as another one is to follow."""
        part = self._parts[at]
        if at + 1 == len(self._parts):
            return part
        while len(marked := self._split(part + MORE)) > 1:
            part = part[:-_SHORTER]
        return marked[0]

    async def _say(self, at: int, part: str) -> Delivery:
        if at == len(self._keys):
            try:
                self._keys.append(await self._begun(at, part))
            except StorageError as error:
                # Nothing leaves that is not recorded.
                return Delivery(sent=False, proof=str(error), unsaid=at == 0)
        return await self._voice.say_one(
            self._target,
            part,
            self._permit,
            key=self._keys[at],
            answers=self._answers if at == 0 else None,
        )

    def _delivery(self, at: int, part: str) -> Delivery:
        if at < len(self._shown) and self._shown[at].text == part:
            return Delivery(sent=True, proof=f"id:{self._shown[at].message}")
        assert self._failure is not None
        if at < len(self._shown):
            # Its beginning stands there: it cannot be said again as if it had never been.
            why = f"only its beginning is shown: {self._failure.proof}"
            return Delivery(sent=False, proof=why, unknown=self._failure.unknown)
        return self._failure
