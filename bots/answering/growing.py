"""An answer that is said while it is made, on networks that can change what was said.

Each message of it is recorded as `sending` before it leaves, like every other line; what it came to
is written when the answer is whole. What is cut off keeps the mark of what was still to come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Final

from bots.answering.mouth import Mouth, Unsaid, key_of
from bots.insist import insist
from bots.messages import Delivery, Outgoing, Target
from bots.transport import MORE, Draft
from brain.errors import Refused
from brain.prompting.silence import may_become
from storage import record, replies
from storage.unit import Unit

#: pieces that come within this time are shown together; the network's own pace is slower
_TOGETHER_S: Final = 0.1


@dataclass
class Growing:
    """The `brain.model.Reader` of one answer; `finish`, `withdraw` or `abandon` it, once."""

    mouth: Mouth
    epoch: int
    #: who asked, in one sentence
    why: str
    #: the answer without its text and place
    outgoing: Outgoing
    #: opens the place of the answer when the first words are there
    place: Callable[[], Awaitable[Target]]
    #: the text as people are shown it
    shape: Callable[[str], str]
    _text: str = ""
    _draft: Draft | None = None
    _starting: asyncio.Task[None] | None = None
    #: shows what has come since it was last shown
    _showing: asyncio.TimerHandle | None = None
    #: rows of the parts that left, or may have left, in order
    _ids: list[int] = field(default_factory=list)
    #: the row of the last part, as it is written
    _beginning: asyncio.Task[int] | None = None
    #: writes down what became of it
    _ending: asyncio.Task[None] | None = None
    _trouble: Refused | None = None

    def piece(self, text: str) -> None:
        self._text += text
        if self._draft is not None:
            if self._showing is None:
                # To shape and to cut the whole costs more than a word is worth.
                loop = asyncio.get_running_loop()
                self._showing = loop.call_later(_TOGETHER_S, self._show)
        elif self._starting is None and self._has_words:
            self._starting = asyncio.create_task(self._start())

    @property
    def _has_words(self) -> bool:
        """Not so while it is nothing yet, or perhaps the word that says that nothing is said."""
        return not may_become(self._text)

    def _show(self) -> None:
        self._showing = None
        if self._draft is not None and self._has_words:
            self._draft.grow(self.shape(self._text) + MORE)

    def _shown_last(self) -> None:
        """What comes now is the end of it."""
        if self._showing is not None:
            self._showing.cancel()
            self._showing = None

    def anew(self) -> None:
        # What is shown stays until there are other words.
        self._text = ""

    @property
    def begun(self) -> bool:
        """Something was, or is about to be, shown: the answer must end here."""
        return self._starting is not None

    async def finish(self, text: str) -> list[Delivery]:
        """Say the whole answer; raises `Refused`, `StorageError`, `Unsaid`, as `Mouth.say`."""
        return await self._or_abandoned(self._finished(text))

    async def withdraw(self) -> list[Delivery]:
        """There is no answer after all: what is shown is taken back. Empty when nothing stands."""
        return await self._or_abandoned(self._withdrawn())

    async def abandon(self, why: str) -> None:
        """The work was stopped: what is shown stays, and is recorded as cut off."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._abandoned(why))
        # Who is stopped twice leaves no row behind either.
        await asyncio.shield(self._ending)

    async def _or_abandoned(self, ending: Coroutine[None, None, list[Delivery]]) -> list[Delivery]:
        self._shown_last()
        try:
            return await ending
        except BaseException:
            await self.abandon("stopped while it was being said")
            raise

    async def _finished(self, text: str) -> list[Delivery]:
        assert self._starting is not None
        await self._starting
        if self._draft is None:
            raise self._trouble or Unsaid("the answer could not be begun")
        deliveries = await self._draft.finish(self.shape(text))
        if deliveries and all(delivery.unsaid for delivery in deliveries):
            await self._end(self.mouth.forget(self._ids))
            raise Unsaid(deliveries[0].proof)
        await self._end(self._settle(deliveries, self.shape(text)))
        return deliveries

    async def _withdrawn(self) -> list[Delivery]:
        assert self._starting is not None
        await asyncio.gather(self._starting, return_exceptions=True)
        if self._draft is None:
            return []
        if await self._draft.take_back():
            await self._end(self.mouth.forget(self._ids))
            return []
        stays = Delivery(sent=False, proof="it could not be taken back", unknown=True)
        deliveries = [stays for _ in self._ids]
        await self._end(self.mouth.settle(self._ids, deliveries, self.outgoing.trace_id))
        return deliveries

    async def _abandoned(self, why: str) -> None:
        self._shown_last()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._draft is not None:
            await self._draft.abandon()
        if unsaid := await self._never_left():
            await self.mouth.forget(unsaid)
        if self._ids:
            cut = Delivery(sent=False, proof=why, unknown=True)
            await self.mouth.settle(self._ids, [cut for _ in self._ids], self.outgoing.trace_id)

    async def _never_left(self) -> list[int]:
        """What was being written down when it was stopped."""
        if self._beginning is None:
            return []
        await asyncio.wait({self._beginning})
        if self._beginning.cancelled() or self._beginning.exception() is not None:
            return []
        reply_id = self._beginning.result()
        return [] if reply_id in self._ids else [reply_id]

    async def _end(self, ending: Coroutine[None, None, None]) -> None:
        """Once this has begun nothing stops it: what is known is written down as it is."""
        self._ending = asyncio.create_task(ending)
        await asyncio.shield(self._ending)

    async def _start(self) -> None:
        target = await self.place()
        if target != self.outgoing.target:
            # In a thread of its own it answers no line there.
            self.outgoing = replace(self.outgoing, target=target, answers=None)
        try:
            permit = await self.mouth.permit(self.outgoing, self.why)
        except Refused as error:
            self._trouble = error
            return
        transport = self.mouth.transports[self.outgoing.target.network]
        self._draft = transport.draft(
            self.outgoing.target, permit, begun=self._part_begun, answers=self.outgoing.answers
        )
        self._show()

    async def _part_begun(self, at: int, part: str) -> str:
        # A thread writes it to its end, whoever is stopped meanwhile.
        self._beginning = asyncio.create_task(self._begin(at, part))
        reply_id = await asyncio.shield(self._beginning)
        self._ids.append(reply_id)
        return key_of(reply_id, self.outgoing.trace_id)

    async def _begin(self, at: int, part: str) -> int:
        [reply_id] = await self.mouth.begin(
            self.outgoing, [part], self.epoch, first_part=at, grows=True
        )
        return reply_id

    async def _settle(self, deliveries: list[Delivery], text: str) -> None:
        """Parts that were taken back again, for the answer became shorter, never were."""
        assert self._draft is not None
        standing = max(len(deliveries), self._draft.standing)
        kept = self._ids[:standing]
        if gone := self._ids[standing:]:
            await self.mouth.forget(gone)
        stays = Delivery(sent=False, proof="it could not be taken back", unknown=True)
        told = [*deliveries, *(stays for _ in kept[len(deliveries) :])][: len(kept)]
        await self.mouth.settle(kept, told, self.outgoing.trace_id)
        parts = self.mouth.transports[self.outgoing.target.network].split(
            self.outgoing.target, text
        )
        target = self.outgoing.target

        async def reword(unit: Unit) -> None:
            for reply_id, delivery, part in zip(kept, deliveries, parts, strict=False):
                if delivery.sent and delivery.proof.startswith("id:"):
                    await replies.reword(unit, reply_id, part)
                    msgid = delivery.proof.removeprefix("id:")
                    await record.reword(unit, target.network, target.key, msgid, part)

        await insist(self.mouth.store, reword, self.mouth.log)
