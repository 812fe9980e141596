"""A key that comes back in the answer that it paid for: hidden before anybody reads it. Pure.

Models are never told a key, but servers know the one that they were asked with, and some repeat
what they were sent. Wherever an answer goes, to people, to a tool, to the record, a key must not.
"""

from __future__ import annotations

from typing import Final

from brain.model import Capabilities, Completion, Conversation, Reader
from brain.models.provider import Key, Provider
from brain.rewriting import rewritten

SHOWN: Final = "[key]"
#: shorter keys are words such as ``ollama``, for servers that want any
_SHORTEST: Final = 16


class Discreet:
    """A `Provider` around another one, whose answers do not have the key that they were asked with.
    It stands next to the provider: whoever chooses, or renews, keys stands outside.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @property
    def capabilities(self) -> Capabilities:
        return self._provider.capabilities

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        """As the provider."""
        if key is None or not is_secret(key.value):
            return await self._provider.complete(conversation, key, reader)
        hiding = Hiding(reader, key.value) if reader is not None else None
        completion = await self._provider.complete(conversation, key, hiding)
        if hiding is not None:
            hiding.finish()
        return hidden(completion, key.value)

    async def close(self) -> None:
        await self._provider.close()


class Hiding:
    """A `Reader` before another one that never gives it `secret`, however it is cut into pieces:
    what may be its beginning is held back until the next piece, or `finish`.
    """

    def __init__(self, reader: Reader, secret: str) -> None:
        self._reader = reader
        self._secret = secret
        self._held = ""

    def piece(self, text: str) -> None:
        text = (self._held + text).replace(self._secret, SHOWN)
        self._held = _beginning_at_the_end(text, self._secret)
        self._pass(text[: len(text) - len(self._held)])

    def anew(self) -> None:
        self._held = ""
        self._reader.anew()

    def finish(self) -> None:
        """No more pieces come."""
        held, self._held = self._held, ""
        self._pass(held)

    def _pass(self, text: str) -> None:
        if text:
            self._reader.piece(text)


def is_secret(key: str) -> bool:
    """Whether a key is one, and no ordinary word."""
    return len(key) >= _SHORTEST


def hidden(completion: Completion, secret: str) -> Completion:
    """`completion` without `secret`, in its text and in what tools are called with."""
    return rewritten(completion, lambda text: text.replace(secret, SHOWN))


def _beginning_at_the_end(text: str, secret: str) -> str:
    """The longest end of `text` that `secret` begins with."""
    for length in range(min(len(text), len(secret) - 1), 0, -1):
        if text.endswith(secret[:length]):
            return text[-length:]
    return ""
