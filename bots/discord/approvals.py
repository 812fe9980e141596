"""Approval cards on Discord: posted, pressed, and edited when something came of them.

The store decides and this shows: a card never says who may press it, and a decision that was made
elsewhere, or while nobody was connected, shows on it as well.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

import discord
from discord.http import MultipartParameters
from structlog.typing import FilteringBoundLogger

from bots.discord import cards
from bots.discord.refusals import FAILURES, refused, sentence
from bots.discord.speech import Unsayable
from bots.discord.transport import DiscordTransport
from bots.messages import DISCORD, Target
from bots.rounds import HALTED_S, Rounds
from brain.errors import Refused
from brain.guard import Guard
from storage import requests
from storage.acts import Act, Permit
from storage.latch import Latch
from storage.requests import Request
from storage.store import Store
from storage.tables import RequestState

_LOOK_EVERY_S: Final = 10.0
#: what Discord refused is tried again after this long
_REFUSED_S: Final = 60.0
_UNKNOWN_MESSAGE: Final = 10008


class Approvals:
    """One agent's cards: `run` keeps them as the store says."""

    def __init__(
        self,
        transport: DiscordTransport,
        store: Store,
        guard: Guard,
        agent: str,
        *,
        latch: Callable[[], Latch | None],
        log: FilteringBoundLogger,
    ) -> None:
        self._transport = transport
        self._store = store
        self._guard = guard
        self._agent = agent
        self._latch = latch
        self._log = log
        self._rounds = Rounds(_LOOK_EVERY_S, log, "cards.unreadable")
        #: request → monotonic seconds before which Discord is not asked again
        self._later: dict[int, float] = {}
        #: whether the cards that wait are there was looked at since the last start
        self._is_looked_for = False

    def nudge(self) -> None:
        """Something changed: show it now."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Post new cards and edit old ones, until cancelled."""
        await self._rounds.run(self.look)

    async def look(self) -> float | None:
        """Bring every card up to date, as far as Discord lets us; the seconds until the next round.
        Raises `StorageError`.
        """
        if self._latch() is not None or not self._transport.health.connected:
            return HALTED_S
        if not self._is_looked_for:
            await self._look_for_cards()
        behind = await self._store.read(lambda unit: requests.unshown(unit, self._agent, DISCORD))
        for request in behind:
            if self._later.get(request.id, 0.0) <= time.monotonic():
                await self._show(request)
        return None

    async def _look_for_cards(self) -> None:
        """While we were away a card may have been deleted, and a sandbox guild begins without any:
        who has to decide, or to say what it cost, must have something to press.
        """
        waiting = await self._store.read(requests.undone)
        for request in waiting:
            ours = request.agent == self._agent and request.network == DISCORD
            if ours and request.message_id is not None and await self._is_gone(request):
                async with self._store.writing() as unit:
                    await requests.note_lost(unit, request.id)
        self._is_looked_for = True

    async def _is_gone(self, request: Request) -> bool:
        assert request.message_id is not None
        message = int(request.message_id)
        try:
            client, channel = await self._transport.speech.channel(_place(request))
            await client.http.get_message(channel, message)
        except discord.NotFound as error:
            return error.code == _UNKNOWN_MESSAGE
        except (Unsayable, *FAILURES):
            return False
        return False

    async def _show(self, request: Request) -> None:
        if request.message_id is None and not _has_buttons(request):
            # It was over before anybody saw it.
            await self._note(request, None)
            return
        try:
            permit = await self._permit(request)
            shown = await self._tell(request, permit)
        except (Refused, Unsayable) as error:
            self._put_off(request, str(error))
        except FAILURES as error:
            gone = isinstance(error, discord.HTTPException) and error.code == _UNKNOWN_MESSAGE
            if gone:
                await self._note(request, None)
            else:
                self._put_off(request, sentence(error))
        else:
            await self._note(request, shown)

    async def _tell(self, request: Request, permit: Permit) -> str:
        """Post or edit the card; the id of its message. Raises `Unsayable`, also for a kill."""
        speech, place = self._transport.speech, _place(request)
        client, channel = await speech.channel(place)
        if why := speech.objection(place, permit):
            raise Unsayable(refused(why))
        card, message = cards.card(request), request.message_id
        if message is not None:
            edited = MultipartParameters(payload=card, multipart=None, files=None)
            await speech.leave(
                permit, lambda: client.http.edit_message(channel, int(message), params=edited)
            )
            return message
        # With its nonce, a card that was posted by a process that died is not posted again.
        posted = MultipartParameters(
            payload=card | {"nonce": f"approval.{request.id}", "enforce_nonce": True},
            multipart=None,
            files=None,
        )
        said = await speech.leave(permit, lambda: client.http.send_message(channel, params=posted))
        return str(said["id"])

    async def _permit(self, request: Request) -> Permit:
        text = str(cards.card(request)["embeds"])
        act = Act(
            agent=self._agent,
            verb="send",
            target=str(_place(request)),
            reason=f"{request.code} is {request.state}",
            trace_id=request.trace_id,
            details={
                "request": request.code,
                "state": str(request.state),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            },
        )
        return await self._guard.permit(act)

    async def _note(self, request: Request, message: str | None) -> None:
        async with self._store.writing() as unit:
            await requests.note_shown(unit, request.id, request.state, message, note=request.note)
        self._later.pop(request.id, None)

    def _put_off(self, request: Request, why: str) -> None:
        self._later[request.id] = time.monotonic() + _REFUSED_S
        self._log.warning("card.not_shown", code=request.code, why=why)


def _has_buttons(request: Request) -> bool:
    """People have something to do with it."""
    if request.state is RequestState.APPROVED:
        return request.is_by_hand
    return request.state is RequestState.PENDING


def _place(request: Request) -> Target:
    return Target.channel(DISCORD, request.channel)
