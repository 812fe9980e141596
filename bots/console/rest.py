"""The guild's REST API as one person uses it. Each failure is one sentence for that person."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=3)
#: how often a 429 is waited for
_PATIENCE = 3
_LONGEST_WAIT_S = 5.0


class Refused(Exception):
    """The guild said no, or could not be asked; the text says so to the person who wanted it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way into a message."""

    name: str
    data: bytes
    content_type: str


class Rest:
    """Calls with one person's token."""

    def __init__(self, http: aiohttp.ClientSession, api: str, token: str) -> None:
        self._http = http
        self._api = api.rstrip("/")
        self._headers = {"Authorization": token}

    async def get(self, path: str, **query: str | int) -> Any:
        return await self.call("GET", path, params={k: str(v) for k, v in query.items()})

    async def say(
        self, channel_id: int, content: str, *, nonce: str, reply_to: int, files: Sequence[Upload]
    ) -> Any:
        """Send a message; the same nonce never sends it twice. Raises `Refused`."""
        body: dict[str, Any] = {"content": content, "nonce": nonce, "enforce_nonce": True}
        if reply_to:
            body["message_reference"] = {"message_id": str(reply_to)}
        path = f"/channels/{channel_id}/messages"
        if not files:
            return await self.call("POST", path, json=body)
        return await self.call("POST", path, body=body, files=files)

    async def react(self, channel_id: int, message_id: int, emoji: str, *, on: bool) -> None:
        path = f"/channels/{channel_id}/messages/{message_id}/reactions/{quote(emoji)}/@me"
        await self.call("PUT" if on else "DELETE", path)

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Sequence[Upload] = (),
    ) -> Any:
        """The answer's JSON, None for an empty one. `body` goes beside `files`.

        Raises `Refused`; a 429 is waited for as long as it asks, within reason.
        """
        for _ in range(_PATIENCE):
            try:
                async with self._http.request(
                    method,
                    self._api + path,
                    headers=self._headers,
                    json=json,
                    params=params,
                    data=_form(body, files) if files else None,
                    timeout=_TIMEOUT,
                ) as response:
                    answer = await _json(response)
                    status = response.status
            except (aiohttp.ClientError, TimeoutError) as error:
                raise Refused("The guild does not answer. Try again in a moment.") from error
            if status != 429:
                break
            await _wait(answer)
        if status >= 400:
            raise Refused(sentence(status, answer))
        return answer


def _form(body: Mapping[str, Any] | None, files: Sequence[Upload]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    payload = aiohttp.JsonPayload(dict(body or {}))
    form.add_field("payload_json", payload, content_type="application/json")
    for number, file in enumerate(files):
        form.add_field(
            f"files[{number}]", file.data, filename=file.name, content_type=file.content_type
        )
    return form


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return None


async def _wait(answer: Any) -> None:
    asked = answer.get("retry_after", 1.0) if isinstance(answer, dict) else 1.0
    await asyncio.sleep(min(_LONGEST_WAIT_S, float(asked)))


#: what Discord's error codes mean for a person ("Opcodes and Status Codes", "JSON")
_SENTENCES = {
    10003: "This channel is gone.",
    10008: "This message is gone.",
    10062: "This took too long. Try again.",
    40005: "The file is too large.",
    50001: "You may not see this channel.",
    50005: "Only its author can change this message.",
    50006: "There is nothing to send.",
    50007: "Messages cannot be sent to this person.",
    50013: "You may not do this here.",
    50083: "This thread is closed.",
    160004: "This message has a thread already.",
}


def sentence(status: int, answer: Any) -> str:
    """What an error of the API means, for people."""
    body = answer if isinstance(answer, dict) else {}
    known = _SENTENCES.get(body.get("code", 0))
    if known:
        return known
    detail = _first_problem(body.get("errors"))
    if detail:
        return detail
    if status == 413:
        return "The file is too large."
    if status == 429:
        return "Too fast: wait a moment and try again."
    if status >= 500:
        return "The guild has a fault. Try again in a moment."
    return f"The guild refused: {body.get('message') or status}."


def _first_problem(errors: Any) -> str:
    """The first message in Discord's tree of form errors."""
    if isinstance(errors, dict):
        for found in errors.get("_errors") or ():
            return str(found.get("message", ""))
        for value in errors.values():
            if text := _first_problem(value):
                return text
    return ""
