"""Word by one POST of JSON: Signal-CLI's REST API, ntfy, or anybody's own gateway to a phone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from bots.escalation_settings import WebhookStep, filled
from bots.messages import Delivery
from bots.people.notifying import Notice, permit, words
from brain.guard import Guard
from storage.acts import Permit
from storage.request import Request

_WITHIN_S: Final = 15.0
#: it says itself that it did nothing
_LATER: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """As `bots.people.notifying.Notifier`."""

    step: WebhookStep
    secret: str
    guard: Guard
    #: nothing may leave now
    halted: Callable[[], bool]

    def recipients(self, request: Request) -> Sequence[str]:
        return [f"webhook:{self.step.host}"]

    async def send(self, notice: Notice) -> Delivery:
        granted = await permit(self.guard, notice)
        if self.halted():
            return Delivery(sent=False, proof="killed before it left", unsaid=True)
        return await self._leave(notice, granted)

    async def _leave(self, notice: Notice, granted: Permit) -> Delivery:
        granted.check("send", notice.recipient, now_s=time.monotonic())
        url, body, headers = self._filled(notice)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as session,
                # Whoever sends us elsewhere might get a secret that is not for him.
                session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                return _answered(answer.status)
        except aiohttp.ClientConnectorError as error:
            return Delivery(sent=False, proof=_sentence(error), unsaid=True)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Delivery(sent=False, proof=_sentence(error), unknown=True)

    def _filled(self, notice: Notice) -> tuple[str, dict[str, Any], dict[str, str]]:
        """Address, body and headers."""
        known = words(notice.request, notice.round)
        # What agents and people wrote goes into the address and the headers as no more than text.
        in_url = {name: quote(value, safe="") for name, value in known.items()}
        in_header = {name: _printable(value) for name, value in known.items()}
        secret = {"secret": self.secret}
        headers = {"Idempotency-Key": notice.key, **self.step.headers}
        return (
            filled(self.step.url, in_url | {"secret": quote(self.secret, safe="")}),
            filled(self.step.body, known | secret),
            filled(headers, in_header | secret),
        )


def _answered(status: int) -> Delivery:
    proof = f"http:{status}"
    if 200 <= status < 300:
        return Delivery(sent=True, proof=proof)
    # A server that broke over it may have passed it on before.
    return Delivery(
        sent=False,
        proof=proof,
        unsaid=status in _LATER,
        unknown=status >= 500 and status not in _LATER,
    )


def _printable(value: str) -> str:
    """What a header may hold."""
    return " ".join(value.split()).encode("ascii", "replace").decode()


def _sentence(error: Exception) -> str:
    # The error's own words name the address, which may hold a secret.
    return f"the gateway cannot be reached ({type(error).__name__})"
