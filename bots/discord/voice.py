"""The part of a transport that says things; what it says leaves by one mouth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.config import DiscordConfig
from bots.discord.courtesies import Courtesies
from bots.discord.directs import Directs
from bots.discord.speech import Speech
from bots.discord.splitting import split_message
from bots.discord.streaming import Draft
from bots.discord.threads import Threads
from bots.messages import Delivery, Mark, Target
from bots.transport import PartBegun
from storage.acts import Permit


class Voice:
    """As `bots.transport.Transport`, as far as it speaks."""

    has_replies = can_edit = knows_keys = True

    def __init__(
        self,
        config: DiscordConfig,
        *,
        client: Callable[[], discord.Client | None],
        directs: Directs,
        named: Callable[[str], str | None],
        veto: Callable[[Permit], str],
        log: FilteringBoundLogger,
    ) -> None:
        """As `bots.discord.speech.Speech`."""
        self._speech = Speech(config, client=client, directs=directs, named=named, veto=veto)
        self._courtesies = Courtesies(self._speech, log)
        self._threads = Threads(self._speech, log)

    @property
    def speech(self) -> Speech:
        """Its mouth: whatever else says something under a permit leaves by it, so that a kill
        meets it as well.
        """
        return self._speech

    def hush(self) -> None:
        """A kill came: take back what has not left yet."""
        self._speech.hush()

    def split(self, target: Target, text: str) -> list[str]:
        """Parts of at most 2,000 characters, code blocks kept whole or opened again."""
        return split_message(text)

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        """As `bots.transport.Transport.say`; the proof is ``id:<message id>``."""
        return await self._speech.say(target, parts, permit, keys=keys, answers=answers)

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
        """Attach a file, size-capped; permit (verb ``send``) and refusals as in `say`."""
        return await self._speech.send_file(
            target, name, data, permit, key=key, text=text, answers=answers
        )

    def draft(
        self, target: Target, permit: Permit, *, begun: PartBegun, answers: str | None = None
    ) -> Draft:
        """As `bots.transport.Transport.draft`."""
        return self._speech.draft(
            target,
            permit,
            begun=begun,
            split=lambda text: self.split(target, text),
            answers=answers,
        )

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        """As `bots.transport.Transport.mark`; 👀 goes when ✅ or ❌ comes."""
        await self._courtesies.mark(target, message, mark, permit)

    async def react(self, target: Target, message: str, emoji: str, permit: Permit) -> bool:
        """As `bots.transport.Transport.react`."""
        return await self._courtesies.react(target, message, emoji, permit)

    async def typing(self, target: Target, permit: Permit) -> None:
        """As `bots.transport.Transport.typing`; it shows for ten seconds."""
        await self._courtesies.typing(target, permit)

    async def open_thread(
        self, target: Target, message: str, name: str, permit: Permit
    ) -> Target | None:
        """The thread below `message`, see `Threads.open` (verb ``thread``)."""
        return await self._threads.open(target, message, name, permit)
