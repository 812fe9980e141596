"""A model that says what it was told to say: for tests and demonstrations, at nobody's cost."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence

from brain.errors import BadAnswer, ModelFailed
from brain.model import Capabilities, Completion, Conversation, Reader

Line = Completion | ModelFailed
#: lines in order, or the line for what is shown
Script = Sequence[Line] | Callable[[Conversation], Line]

CAPABILITIES = Capabilities(tools=True, streaming=True, json_schema=True, context_tokens=100_000)
#: conversations that are kept; a demonstration may run for days
_KEPT = 100
_PIECE = re.compile(r"\s*\S+|\s+")


class Scripted:
    """When its lines are used up, it says the last one again.

    `between_s`: seconds between two pieces of an answer that somebody reads.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted",
        label: str = "scripted model",
        capabilities: Capabilities = CAPABILITIES,
        between_s: float = 0.0,
    ) -> None:
        self.name = name
        self.label = label
        self.capabilities = capabilities
        #: what it was shown, the oldest first
        self.shown: deque[Conversation] = deque(maxlen=_KEPT)
        #: how often it was asked
        self.times_asked = 0
        self._script = script
        self._between_s = between_s

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """The next line; raises it where it is a `ModelFailed`, `BadAnswer` where there is none."""
        self.shown.append(conversation)
        self.times_asked += 1
        line = self._line(conversation)
        if isinstance(line, ModelFailed):
            raise line
        if reader is not None and self.capabilities.streaming:
            await self._read_out(line.text, reader)
        return line

    def _line(self, conversation: Conversation) -> Line:
        if callable(self._script):
            return self._script(conversation)
        if not self._script:
            return BadAnswer(f"{self.name} has nothing to say")
        return self._script[min(self.times_asked, len(self._script)) - 1]

    async def _read_out(self, text: str, reader: Reader) -> None:
        """Word by word, and nothing of it lost."""
        for piece in _PIECE.findall(text):
            reader.piece(piece)
            await asyncio.sleep(self._between_s)
