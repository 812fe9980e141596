"""What is attached to a message: text is read (size-capped), everything else is named."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import aiohttp

from bots.discord.config import DiscordConfig
from bots.discord.readable import one_line, size, without_addresses

#: attachments of one message that are read; the rest is named
_MOST_READ = 4
#: downloads at a time
_AT_ONCE = 4
_TEXT_TYPES = ("text/", "application/json", "application/x-ndjson", "application/toml")
_TEXT_ENDINGS = (".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".log", ".toml", ".yaml", ".yml")
_CHUNK_BYTES = 16_384


class Attached(Protocol):
    """The part of `discord.Attachment` that is used here."""

    @property
    def filename(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def content_type(self) -> str | None: ...

    @property
    def url(self) -> str: ...


def is_text(attached: Attached) -> bool:
    """By its declared type, or by the ending of its name where no type is declared."""
    declared = (attached.content_type or "").lower()
    if declared and not declared.startswith("application/octet-stream"):
        return declared.startswith(_TEXT_TYPES)
    return attached.filename.lower().endswith(_TEXT_ENDINGS)


def label(attached: Attached, why: str = "") -> str:
    """``[attachment notes.txt, 1.2 kB]``"""
    reason = f": {why}" if why else ""
    return f"[attachment {one_line(attached.filename)}, {size(attached.size)}{reason}]"


class Reader:
    """Downloads text attachments with a session of its own, opened when first needed."""

    def __init__(self, config: DiscordConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def is_needed(self, attachments: Sequence[Attached]) -> bool:
        return any(self._is_readable(one) for one in attachments[:_MOST_READ])

    def labels(self, attachments: Sequence[Attached]) -> str:
        return "\n".join(label(one) for one in attachments)

    async def read(self, attachments: Sequence[Attached]) -> str:
        """One block for each attachment, in order: its label, below it its text if it is text.

        Ends within `attachments_s`; what could not be read says so. The text is data: an
        ``@agent`` in it addresses nobody.
        """
        texts: list[str | None] = [None] * len(attachments)
        reasons = [""] * len(attachments)

        async def fill(at: int) -> None:
            try:
                texts[at] = await self._text_of(attachments[at])
            except (aiohttp.ClientError, OSError, ValueError) as error:
                reasons[at] = f"could not be read ({type(error).__name__})"

        wanted = [n for n, one in enumerate(attachments[:_MOST_READ]) if self._is_readable(one)]
        for at in wanted:
            reasons[at] = "took too long to read"
        tasks = [asyncio.create_task(fill(at)) for at in wanted]
        try:
            await asyncio.wait(tasks, timeout=self._config.attachments_s)
        finally:
            for task in tasks:
                task.cancel()
        return "\n".join(
            label(one, "" if text is not None else reason) + (f"\n{text}" if text else "")
            for one, text, reason in zip(attachments, texts, reasons, strict=True)
        )

    async def text_of(self, attached: Attached, most: int) -> str | None:
        """At most so many characters of its text; None where it is no text, or cannot be read."""
        if not self._is_readable(attached):
            return None
        try:
            async with asyncio.timeout(self._config.attachments_s):
                return await self._text_of(attached, most)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
            return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _is_readable(self, attached: Attached) -> bool:
        return is_text(attached) and attached.size <= self._config.attachments_bytes

    async def _text_of(self, attached: Attached, most: int | None = None) -> str:
        async with self._turns:
            if self._session is None:
                self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            data = bytearray()
            async with self._session.get(attached.url, allow_redirects=False) as response:
                response.raise_for_status()
                # The declared size is the sender's word; this is ours.
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    data += chunk
                    if len(data) > self._config.attachments_bytes:
                        raise ValueError("it is larger than it said")
        most = self._config.attachments_characters if most is None else most
        return self._shown(data.decode("utf-8", "replace"), most)

    def _shown(self, text: str, most: int) -> str:
        text = text.replace("\0", "").replace("\r\n", "\n").strip()
        cut = (
            text if len(text) <= most else f"{text[:most]}\n[… {len(text) - most} more characters]"
        )
        return without_addresses(cut, self._config.agents)
