"""An answer that is said while it is made, on networks that can change what was said.

Each message of it is recorded as `sending` before it leaves, like every other line; what it came to
is written when the answer is whole. What is cut off keeps the mark of what was still to come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bots.answering.mouth import Mouth, Unsaid, key_of
from bots.insist import insist
from bots.messages import Delivery, Outgoing, Target
from bots.transport import Draft
from brain.errors import Refused
from brain.prompting.silence import SILENCE
from storage import record, replies
from storage.unit import Unit

#: stands at the end while more is to come
MORE: Final = " \N{HORIZONTAL ELLIPSIS}"


@dataclass
class Growing:
    """The `brain.model.Reader` of one answer; `finish` or `abandon` it, once."""

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
    #: rows of the parts that were begun, in order
    _ids: list[int] = field(default_factory=list)
    _trouble: Refused | None = None

    def piece(self, text: str) -> None:
        self._text += text
        shown = self.shape(self._text)
        if SILENCE.startswith(shown.strip().upper()):
            # Nothing yet, or perhaps the word that says that nothing shall be said.
            return
        if self._draft is not None:
            self._draft.grow(shown + MORE)
        elif self._starting is None:
            self._starting = asyncio.create_task(self._start())

    def anew(self) -> None:
        # What is shown stays until there are other words.
        self._text = ""

    @property
    def begun(self) -> bool:
        """Something was, or is about to be, shown: the answer must end here."""
        return self._starting is not None

    async def finish(self, text: str) -> list[Delivery]:
        """Say the whole answer; raises `Refused`, `StorageError`, `Unsaid`, as `Mouth.say`."""
        assert self._starting is not None
        await self._starting
        if self._draft is None:
            raise self._trouble or Unsaid("the answer could not be begun")
        deliveries = await self._draft.finish(self.shape(text))
        if deliveries and all(delivery.unsaid for delivery in deliveries):
            await self.mouth.forget(self._ids)
            raise Unsaid(deliveries[0].proof)
        await self._settle(deliveries, self.shape(text))
        return deliveries

    async def abandon(self, why: str) -> None:
        """The work was stopped: what is shown stays, and is recorded as cut off."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._draft is not None:
            await self._draft.abandon()
        cut = Delivery(sent=False, proof=why, unknown=True)
        await self.mouth.settle(self._ids, [cut for _ in self._ids], self.outgoing.trace_id)

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
        if self._draft is not None and self._text:
            self._draft.grow(self.shape(self._text) + MORE)

    async def _part_begun(self, at: int, part: str) -> str:
        [reply_id] = await self.mouth.begin(self.outgoing, [part], self.epoch, first_part=at)
        self._ids.append(reply_id)
        return key_of(reply_id, self.outgoing.trace_id)

    async def _settle(self, deliveries: list[Delivery], text: str) -> None:
        """Parts that were taken back again, for the answer became shorter, never were."""
        kept = self._ids[: len(deliveries)]
        if gone := self._ids[len(kept) :]:
            await self.mouth.forget(gone)
        await self.mouth.settle(kept, deliveries[: len(kept)], self.outgoing.trace_id)
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
