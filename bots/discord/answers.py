"""How an interaction is answered: acknowledged at once, then in words that have a permit.

An acknowledgement is Discord's own receipt and says nothing; it has three seconds, whatever the
store and the model are at. Words go through the guard like every other line.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import discord
from discord import app_commands

from bots.discord.refusals import FAILURES, sentence
from bots.discord.speech import Speech, Unsayable
from bots.discord.splitting import split_message
from bots.irc.wire import Log
from brain.guard import Guard
from storage.acts import Act, Permit
from storage.errors import PermitRefused

#: Discord wants to hear within 3 s
_RECEIPT_S: Final = 2.9
_SAY_S: Final = 20.0
#: unknown webhook, invalid webhook token, unknown interaction: nobody waits for it any more
EXPIRED: Final = frozenset({10015, 50027, 10062})
_LINK: Final = re.compile(r"(?<!<)\bhttps?://[^\s<>]+")


@dataclass(frozen=True)
class Answers:
    """One agent's answers to interactions; they leave by its mouth, so a kill meets them there."""

    agent: str
    guard: Guard
    speech: Speech
    log: Log
    #: a text as messages that Discord takes
    split: Callable[[str], list[str]] = split_message

    async def acknowledge(self, interaction: discord.Interaction, *, private: bool) -> bool:
        """Show that an answer comes; False when nobody waits for it any more."""
        receipt = interaction.response.defer(ephemeral=private, thinking=True)
        return await self._told(interaction, receipt, within_s=_RECEIPT_S)

    async def receipt(self, interaction: discord.Interaction) -> bool:
        """Take note of a press and leave its message as it is; False when that came too late."""
        return await self._told(interaction, interaction.response.defer(), within_s=_RECEIPT_S)

    async def complete(self, interaction: discord.Interaction, names: Sequence[str]) -> bool:
        """Offer values for the option that is being typed."""
        offers = [app_commands.Choice(name=name, value=name) for name in names]
        offering = interaction.response.autocomplete(offers)
        return await self._told(interaction, offering, within_s=_RECEIPT_S)

    async def permit(
        self, interaction: discord.Interaction, text: str, *, command: str, why: str, trace_id: str
    ) -> Permit:
        """The guard's yes to these words; raises `Refused`."""
        act = Act(
            agent=self.agent,
            verb="send",
            target=target_of(interaction),
            reason=why,
            trace_id=trace_id,
            details={
                "command": command,
                "lines": len(text.splitlines()),
                "bytes": len(text.encode()),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            },
        )
        return await self.guard.permit(act)

    async def say(
        self, interaction: discord.Interaction, text: str, permit: Permit, *, private: bool
    ) -> bool:
        """Put `text` where the acknowledgement stands, and what does not fit below it; False when
        it did not get through. Raises `PermitRefused`.
        """
        first, *rest = self._parts(text)
        nobody = discord.AllowedMentions.none()
        self._check(interaction, permit)
        edit = interaction.edit_original_response(content=first, allowed_mentions=nobody)
        if not await self._told(interaction, edit, within_s=_SAY_S, permit=permit):
            return False
        return await self._go_on(interaction, rest, permit, private=private)

    async def say_alone(self, interaction: discord.Interaction, text: str, permit: Permit) -> bool:
        """Say it to who pressed alone, in messages of its own; otherwise as `say`."""
        parts = self._parts(text)
        if not interaction.response.is_done():
            first, *parts = parts
            self._check(interaction, permit)
            saying = interaction.response.send_message(
                first,
                ephemeral=True,
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
            )
            if not await self._told(interaction, saying, within_s=_RECEIPT_S, permit=permit):
                return False
        return await self._go_on(interaction, parts, permit, private=True)

    async def open(
        self, interaction: discord.Interaction, form: discord.ui.Modal, permit: Permit
    ) -> bool:
        """Show a form, the first and only answer to a press; False when that came too late. Raises
        `PermitRefused`.
        """
        self._check(interaction, permit)
        opening = interaction.response.send_modal(form)
        return await self._told(interaction, opening, within_s=_RECEIPT_S, permit=permit)

    async def withdraw(self, interaction: discord.Interaction) -> None:
        """Nothing may be said: take the acknowledgement away, so that nobody waits for words."""
        gone = interaction.delete_original_response()
        await self._told(interaction, gone, within_s=_SAY_S)

    async def _go_on(
        self,
        interaction: discord.Interaction,
        parts: Sequence[str],
        permit: Permit,
        *,
        private: bool,
    ) -> bool:
        for part in parts:
            self._check(interaction, permit)
            more = interaction.followup.send(
                part,
                ephemeral=private,
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
                wait=True,
            )
            if not await self._told(interaction, more, within_s=_SAY_S, permit=permit):
                return False
        return True

    def _parts(self, text: str) -> list[str]:
        return self.split(quiet(text)) or ["\N{HORIZONTAL ELLIPSIS}"]

    def _check(self, interaction: discord.Interaction, permit: Permit) -> None:
        """A permit was good when it was made; a kill, or time, may have ended it since."""
        permit.check("send", target_of(interaction), now_s=time.monotonic())
        why = self.speech.veto(permit)
        if why:
            raise PermitRefused(why)

    async def _told(
        self,
        interaction: discord.Interaction,
        telling: Awaitable[object],
        *,
        within_s: float,
        permit: Permit | None = None,
    ) -> bool:
        """Words have their permit, Discord's own receipts have none; False when nobody heard it.
        Raises `PermitRefused` when a kill came while the words waited.
        """
        try:
            async with asyncio.timeout(within_s):
                await (telling if permit is None else self.speech.unless_killed(permit, telling))
        except discord.InteractionResponded:
            return True
        except Unsayable as error:
            raise PermitRefused(str(error)) from error
        except FAILURES as error:
            code = error.code if isinstance(error, discord.HTTPException) else 0
            event = "interaction_expired" if code in EXPIRED else "interaction_unanswered"
            self.log.warning(event, interaction=str(interaction.id), why=sentence(error))
            return False
        return True


def target_of(interaction: discord.Interaction) -> str:
    """How an interaction is named in acts, permits and the audit chain; its token never is."""
    return f"discord:interaction:{interaction.id}"


def quiet(text: str) -> str:
    """Links in angle brackets, outside of code: Discord then shows no preview of them."""
    parts = text.split("```")
    return "```".join(
        part if index % 2 else _LINK.sub(lambda link: f"<{link[0]}>", part)
        for index, part in enumerate(parts)
    )
