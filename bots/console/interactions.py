"""What a person does with an application: commands, components, forms; and waiting for its answer.

Source: Discord's documentation, "Receiving and Responding"; people's clients send them by
``POST /interactions`` and hear of the outcome on their gateway session by the nonce.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from bots.console.model import Payload
from bots.console.rest import Refused, Rest

#: an application has 3 s; the rest is for the way
_PATIENCE_S = 5.0
_AUTOCOMPLETE_S = 3.0
#: forms that may still come
_PAGES = 64

SUCCESS = "INTERACTION_SUCCESS"
FAILURE = "INTERACTION_FAILURE"
MODAL = "INTERACTION_MODAL_CREATE"
CHOICES = "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE"
OUTCOMES = frozenset({SUCCESS, FAILURE, MODAL, CHOICES})


class InteractionType(IntEnum):
    """By Discord's numbers."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Interactions:
    """Sends interactions of one person; `heard` takes what the gateway says of them."""

    def __init__(
        self, rest: Rest, *, session_id: Callable[[], str], nonce: Callable[[], str]
    ) -> None:
        self._rest = rest
        self._session_id = session_id
        self._nonce = nonce
        self._waiting: dict[str, asyncio.Future[tuple[str, Payload]]] = {}
        #: nonce → the page that acted, for a form that is told after the success
        self._pages: dict[str, str] = {}

    def heard(self, name: str, data: Payload) -> str | None:
        """The page to which this form belongs; None for what is no form."""
        nonce = str(data.get("nonce"))
        waiting = self._waiting.get(nonce)
        if waiting is not None and not waiting.done():
            waiting.set_result((name, data))
        return self._pages.pop(nonce, None) if name == MODAL else None

    async def do(self, kind: InteractionType, data: Payload, place: Payload, page: str) -> None:
        """Send one, and wait until it was taken; a form that it opens is told to `page`.

        `place` says where: ``application_id``, ``channel_id``, perhaps ``guild_id`` and
        ``message_id``. Raises `Refused` when nobody took it.
        """
        name, _ = await self._ask(kind, data, place, _PATIENCE_S, page)
        if name == FAILURE:
            raise Refused("The agent did not answer in time. It may be stopped or busy: try again.")

    async def complete(self, data: Payload, place: Payload) -> list[tuple[str, Any]]:
        """The choices that an application offers for the focused option; none when it is silent."""
        try:
            name, answer = await self._ask(
                InteractionType.AUTOCOMPLETE, data, place, _AUTOCOMPLETE_S
            )
        except Refused:
            return []
        if name != CHOICES:
            return []
        return [(str(c["name"]), c["value"]) for c in answer.get("choices") or ()]

    async def _ask(
        self,
        kind: InteractionType,
        data: Payload,
        place: Payload,
        patience_s: float,
        page: str = "",
    ) -> tuple[str, Payload]:
        nonce = self._nonce()
        self._pages[nonce] = page
        while len(self._pages) > _PAGES:
            del self._pages[next(iter(self._pages))]
        future = asyncio.get_running_loop().create_future()
        self._waiting[nonce] = future
        body = {"type": int(kind), "nonce": nonce, "session_id": self._session_id(), "data": data}
        try:
            await self._rest.call("POST", "/interactions", json=body | place)
            async with asyncio.timeout(patience_s):
                answer: tuple[str, Payload] = await future
                return answer
        except TimeoutError:
            raise Refused("Nobody answered that in time. Try again.") from None
        finally:
            del self._waiting[nonce]
