"""Presses on approval cards: who pressed is taken from Discord, who may decide from the store.

A card's buttons mean the same whatever process is alive, so nothing is remembered here.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import discord
from structlog.typing import FilteringBoundLogger

from bots.control.requests import Requests, Undecidable, Voter, objection
from bots.discord.answers import target_of
from bots.discord.cards import (
    REASON,
    REASON_CHARACTERS,
    Press,
    Pressed,
    custom_id,
    parse,
    plain,
    reason_given,
)
from bots.discord.interactions import roles_of
from bots.discord.readable import stranger
from bots.discord.refusals import FAILURES, sentence
from bots.messages import DISCORD
from brain.errors import Refused
from brain.guard import Guard
from storage import requests
from storage.acts import Act, Permit
from storage.errors import PermitRefused, StorageError
from storage.latch import Latch
from storage.requests import Request

#: Discord waits 3 s for a first word; a modal must be that word
_FIRST_WORD_S: Final = 2.5
_SAY_S: Final = 20.0
#: a modal that nobody sends is forgotten after this long
_MODAL_S: Final = 900.0
_NO_CARD: Final = "That button belongs to no request that I know."
_OTHER_CARD: Final = "That is not the card of this request any more."
_NO_STORE: Final = "I cannot reach what I remember, so nothing is decided; press again."


@dataclass(frozen=True)
class Presses:
    """One application's approval cards, as far as people press them."""

    agent: str
    #: bot's user id → agent
    agents: Mapping[str, str]
    requests: Requests
    guard: Guard
    latch: Callable[[], Latch | None]
    #: why something may not leave at this moment, empty when it may
    veto: Callable[[Permit], str]
    log: FilteringBoundLogger

    async def on_component(self, interaction: discord.Interaction) -> None:
        """Take one press or one filled-in modal, and answer it; raises nothing that is ours."""
        data: Mapping[str, Any] = interaction.data or {}
        pressed = parse(str(data.get("custom_id") or ""))
        try:
            if pressed is not None and pressed.press is Press.REJECT:
                await self._ask_why(interaction, pressed)
                return
            # Discord's own receipt: the card stays as it is until something is decided.
            async with asyncio.timeout(_FIRST_WORD_S):
                await interaction.response.defer()
            if why := await self._decided(interaction, pressed):
                await self._say(interaction, why, await self._permit(interaction, why))
        except (Refused, PermitRefused) as error:
            self.log.warning("press.unanswered", why=str(error))
        except FAILURES as error:
            self.log.warning("press.unanswered", why=sentence(error))

    async def _ask_why(self, interaction: discord.Interaction, pressed: Pressed) -> None:
        """Open the modal for the reason, for who may decide."""
        async with asyncio.timeout(_FIRST_WORD_S):
            try:
                request = await self._request(interaction, pressed)
                now = self.requests.clock()
                why = objection(request, self._voter(interaction), now)
            except Undecidable as error:
                why = str(error)
            except StorageError:
                why = _NO_STORE
            permit = await self._permit(interaction, why or "a form for the reason")
            if why:
                await self._say(interaction, why, permit)
            else:
                await self._open_modal(interaction, pressed, permit)

    async def _decided(self, interaction: discord.Interaction, pressed: Pressed | None) -> str:
        """Decide; what there is to say to it, empty when the card says it all."""
        try:
            request = await self._request(interaction, pressed)
            decided = await self.requests.decide(
                request.id,
                self._voter(interaction),
                approved=pressed is not None and pressed.press is Press.APPROVE,
                note=_note(interaction),
            )
        except Undecidable as error:
            return str(error)
        except StorageError as error:
            self.log.warning("press.undecided", why=str(error))
            return _NO_STORE
        self.log.info("request.decided", code=decided.code, state=str(decided.state))
        return ""

    async def _request(self, interaction: discord.Interaction, pressed: Pressed | None) -> Request:
        """The request whose card was pressed; raises `Undecidable` and `StorageError`."""
        latch = self.latch()
        if latch is not None:
            raise Undecidable(f"Nothing is decided: {self.agent} was killed by {latch.by}.")
        if pressed is None:
            raise Undecidable(_NO_CARD)
        async with self.requests.store.reading() as unit:
            found = await requests.read(unit, pressed.request_id)
        if found is None or found.network != DISCORD or found.agent != self.agent:
            raise Undecidable(_NO_CARD)
        # A card that was posted a moment ago may not be noted yet.
        shown = interaction.message
        if found.message_id is not None and (shown is None or str(shown.id) != found.message_id):
            raise Undecidable(_OTHER_CARD)
        return found

    def _voter(self, interaction: discord.Interaction) -> Voter:
        user = interaction.user
        return Voter(
            name=stranger(user.display_name, self.agents),
            user=str(user.id),
            roles=roles_of(interaction),
        )

    # --- what it answers --------------------------------------------------------------------------

    async def _open_modal(
        self, interaction: discord.Interaction, pressed: Pressed, permit: Permit
    ) -> None:
        self._check(interaction, permit)
        form = discord.ui.Modal(
            title="Reject",
            custom_id=custom_id(pressed.request_id, Press.REASON),
            timeout=_MODAL_S,
        )
        form.add_item(
            discord.ui.Label(
                text="Why? It stays on record.",
                component=discord.ui.TextInput(
                    custom_id=REASON,
                    style=discord.TextStyle.paragraph,
                    required=False,
                    max_length=REASON_CHARACTERS,
                ),
            )
        )
        await interaction.response.send_modal(form)

    async def _say(self, interaction: discord.Interaction, text: str, permit: Permit) -> None:
        """To who pressed alone; raises `PermitRefused` and what `FAILURES` names."""
        self._check(interaction, permit)
        words = plain(text)
        nobody = discord.AllowedMentions.none()
        saying: Awaitable[object]
        if interaction.response.is_done():
            saying = interaction.followup.send(words, ephemeral=True, allowed_mentions=nobody)
        else:
            saying = interaction.response.send_message(
                words, ephemeral=True, allowed_mentions=nobody
            )
        async with asyncio.timeout(_SAY_S):
            await saying

    async def _permit(self, interaction: discord.Interaction, text: str) -> Permit:
        act = Act(
            agent=self.agent,
            verb="send",
            target=target_of(interaction),
            reason=f"{interaction.user.name} pressed a button",
            trace_id="",
            details={
                # A killed agent says that it is killed, and by whom: its status.
                "command": "status" if self.latch() is not None else "",
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            },
        )
        return await self.guard.permit(act)

    def _check(self, interaction: discord.Interaction, permit: Permit) -> None:
        permit.check("send", target_of(interaction), now_s=time.monotonic())
        if why := self.veto(permit):
            raise PermitRefused(why)


def _note(interaction: discord.Interaction) -> str:
    data: Mapping[str, Any] = interaction.data or {}
    return reason_given(data.get("components") or ())
