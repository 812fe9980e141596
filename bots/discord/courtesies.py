"""Reactions and the typing sign: shown when they can be, missed by nobody when they cannot."""

from __future__ import annotations

import time
from collections import deque

from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, sentence
from bots.discord.speech import Speech, Unsayable
from bots.messages import Mark, Target
from storage.acts import Permit

#: marks that we remember having set, to take them back
_REMEMBERED = 500


class Courtesies:
    """`mark` and `typing` of one agent."""

    def __init__(self, speech: Speech, log: FilteringBoundLogger) -> None:
        self._speech = speech
        self._log = log
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        """As `bots.transport.Transport.mark`; the 👀 goes when the outcome is shown."""
        permit.check("mark", str(target), now_s=time.monotonic())
        if self._speech.veto(permit):
            return
        try:
            client, channel = await self._speech.channel(target)
            await self._speech.requests.once(
                lambda: client.http.add_reaction(channel, int(message), mark.value)
            )
            if mark is Mark.SEEN:
                self._seen.append(message)
            elif message in self._seen:
                self._seen.remove(message)
                await self._speech.requests.once(
                    lambda: client.http.remove_own_reaction(channel, int(message), Mark.SEEN.value)
                )
        except Unsayable as error:
            self._log.info("discord_mark_missed", target=str(target), why=str(error))
        except (ValueError, *FAILURES) as error:
            self._log.info("discord_mark_missed", target=str(target), why=sentence(error))

    async def react(self, target: Target, message: str, emoji: str, permit: Permit) -> bool:
        """As `bots.transport.Transport.react`."""
        permit.check("mark", str(target), now_s=time.monotonic())
        if self._speech.veto(permit):
            return False
        try:
            client, channel = await self._speech.channel(target)
            await self._speech.requests.once(
                lambda: client.http.add_reaction(channel, int(message), emoji)
            )
        except Unsayable as error:
            self._log.info("discord_reaction_refused", target=str(target), why=str(error))
            return False
        except (ValueError, *FAILURES) as error:
            self._log.info("discord_reaction_refused", target=str(target), why=sentence(error))
            return False
        return True

    async def typing(self, target: Target, permit: Permit) -> None:
        """As `bots.transport.Transport.typing`; Discord shows it for ten seconds."""
        permit.check("typing", str(target), now_s=time.monotonic())
        if self._speech.veto(permit):
            return
        try:
            client, channel = await self._speech.channel(target)
            await self._speech.requests.once(lambda: client.http.send_typing(channel))
        except Unsayable as error:
            self._log.info("discord_typing_missed", target=str(target), why=str(error))
        except FAILURES as error:
            self._log.info("discord_typing_missed", target=str(target), why=sentence(error))
