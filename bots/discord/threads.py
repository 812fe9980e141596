"""A thread of its own for one conversation, below the line that began it."""

from __future__ import annotations

import time
from typing import Final

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.readable import one_line
from bots.discord.refusals import FAILURES, sentence
from bots.discord.speech import Speech, Unsayable
from bots.messages import Place, Target
from storage.acts import Permit

#: Discord's code for a message that has its thread already
_EXISTS = 160004
_ARCHIVE_AFTER_MINUTES: Final = 1440


class Threads:
    def __init__(self, speech: Speech, log: FilteringBoundLogger) -> None:
        self._speech = speech
        self._log = log

    async def open(self, target: Target, message: str, name: str, permit: Permit) -> Target | None:
        """The thread below `message` in the channel `target`, opened as `name` unless there is one;
        None when it may not be opened: then the channel has to do. Raises `PermitRefused` (verb
        ``thread``).
        """
        permit.check("thread", str(target), now_s=time.monotonic())
        if target.is_private or self._speech.veto(permit):
            return None
        try:
            client, channel = await self._speech.channel(target)
            await self._speech.requests.once(
                lambda: client.http.start_thread_with_message(
                    channel,
                    int(message),
                    name=one_line(name),
                    auto_archive_duration=_ARCHIVE_AFTER_MINUTES,
                )
            )
        except Unsayable as error:
            self._log.info("discord_thread_missed", target=str(target), why=str(error))
            return None
        except (ValueError, *FAILURES) as error:
            if not (isinstance(error, discord.HTTPException) and error.code == _EXISTS):
                self._log.info("discord_thread_missed", target=str(target), why=sentence(error))
                return None
        # A thread has the id of the message that it hangs below.
        return Target(target.network, Place.CHANNEL, message)
