"""Presses on approval cards: who pressed is taken from Discord, who may decide from the store.

A card's buttons mean the same whatever process is alive, so nothing is remembered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import discord
from structlog.typing import FilteringBoundLogger

from bots.control.objections import NotTaken, Voter, objection, to_completion
from bots.control.requests import Requests
from bots.discord.answers import Answers
from bots.discord.cards import COST, REASON, RETURN, Press, Pressed, given, parse, plain
from bots.discord.forms import OPENS, form
from bots.discord.interactions import roles_of
from bots.discord.readable import stranger
from bots.messages import DISCORD
from brain.errors import Refused
from storage import requests
from storage.acts import Permit
from storage.errors import PermitRefused, StorageError
from storage.latch import Latch
from storage.requests import Request

#: Discord waits 3 s for a first word; a modal must be that word
_FIRST_WORD_S: Final = 2.5
_NO_CARD: Final = "That button belongs to no request that I know."
_OTHER_CARD: Final = "That is not the card of this request any more."
_NO_STORE: Final = "I cannot reach what I remember, so nothing is decided; press again."


@dataclass(frozen=True)
class Presses:
    """One application's approval cards, as far as people press them."""

    #: bot's user id → agent
    agents: Mapping[str, str]
    requests: Requests
    answers: Answers
    latch: Callable[[], Latch | None]
    log: FilteringBoundLogger

    async def on_component(self, interaction: discord.Interaction) -> None:
        """Take one press or one filled-in modal, and answer it; raises nothing that is ours."""
        data: Mapping[str, Any] = interaction.data or {}
        pressed = parse(str(data.get("custom_id") or ""))
        try:
            if pressed is not None and pressed.press in OPENS:
                await self._ask_more(interaction, pressed)
                return
            # The card stays as it is until something is decided.
            if not await self.answers.receipt(interaction):
                return
            why, trace_id = await self._decided(interaction, pressed)
            if why:
                await self._say(interaction, why, trace_id)
        except (Refused, PermitRefused, TimeoutError) as error:
            self.log.warning("press.unanswered", why=str(error) or "too late")

    async def _ask_more(self, interaction: discord.Interaction, pressed: Pressed) -> None:
        """Open the modal for the reason or the bill, for who may decide."""
        async with asyncio.timeout(_FIRST_WORD_S):
            trace_id = ""
            try:
                request = await self._request(interaction, pressed)
                trace_id, voter = request.trace_id, self._voter(interaction)
                if pressed.press is Press.COMPLETE:
                    why = to_completion(request, voter)
                else:
                    why = objection(request, voter, self.requests.clock())
            except NotTaken as error:
                why = str(error)
            except StorageError:
                why = _NO_STORE
            if why:
                await self._say(interaction, why, trace_id)
            else:
                permit = await self._permit(interaction, "a form for more words", trace_id)
                await self.answers.open(interaction, form(pressed), permit)

    async def _decided(
        self, interaction: discord.Interaction, pressed: Pressed | None
    ) -> tuple[str, str]:
        """Decide; what there is to say to it, empty when the card says it all, and the trace."""
        trace_id = ""
        try:
            request = await self._request(interaction, pressed)
            trace_id = request.trace_id
            decided = await self._taken(interaction, request, pressed)
        except NotTaken as error:
            return str(error), trace_id
        except StorageError as error:
            self.log.warning("press.undecided", why=str(error))
            return _NO_STORE, trace_id
        self.log.info("request.decided", code=decided.code, state=str(decided.state))
        return "", trace_id

    async def _taken(
        self, interaction: discord.Interaction, request: Request, pressed: Pressed | None
    ) -> Request:
        """The request after this press; raises `NotTaken` and `StorageError`."""
        press, voter = pressed.press if pressed else None, self._voter(interaction)
        data: Mapping[str, Any] = interaction.data or {}
        words = given(data.get("components") or ())
        if press is Press.BILL:
            return await self.requests.complete(
                request.id, voter, cost=words.get(COST, ""), gain=words.get(RETURN, "")
            )
        return await self.requests.decide(
            request.id, voter, approved=press is Press.APPROVE, note=words.get(REASON, "")
        )

    async def _request(self, interaction: discord.Interaction, pressed: Pressed | None) -> Request:
        """The request whose card was pressed; raises `NotTaken` and `StorageError`."""
        latch = self.latch()
        if latch is not None:
            raise NotTaken(f"Nothing is decided: {self.answers.agent} was killed by {latch.by}.")
        if pressed is None:
            raise NotTaken(_NO_CARD)
        async with self.requests.store.reading() as unit:
            found = await requests.read(unit, pressed.request_id)
        if found is None or found.network != DISCORD or found.agent != self.answers.agent:
            raise NotTaken(_NO_CARD)
        # A card that was posted a moment ago may not be noted yet.
        shown = interaction.message
        if found.message_id is not None and (shown is None or str(shown.id) != found.message_id):
            raise NotTaken(_OTHER_CARD)
        return found

    def _voter(self, interaction: discord.Interaction) -> Voter:
        user = interaction.user
        return Voter(
            name=stranger(user.display_name, self.agents),
            user=str(user.id),
            roles=roles_of(interaction),
        )

    # --- what it answers --------------------------------------------------------------------------

    async def _say(self, interaction: discord.Interaction, text: str, trace_id: str) -> None:
        """To who pressed alone; raises `Refused` and `PermitRefused`."""
        words = plain(text)
        permit = await self._permit(interaction, words, trace_id)
        await self.answers.say_alone(interaction, words, permit)

    async def _permit(self, interaction: discord.Interaction, text: str, trace_id: str) -> Permit:
        return await self.answers.permit(
            interaction,
            text,
            # A killed agent says that it is killed, and by whom: its status.
            command="status" if self.latch() is not None else "",
            why=f"{interaction.user.name} pressed a button",
            trace_id=trace_id,
        )
