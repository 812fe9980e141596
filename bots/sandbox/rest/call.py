"""One request to the API: who asks, for what, and with which body."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from bots.sandbox.drafts import MOST_BYTES, File
from bots.sandbox.errors import ApiError, plain, refusal
from bots.sandbox.forms import Form, Problems, snowflake
from bots.sandbox.model import Channel, Message, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

#: what the parts around the files may add to a request
_MOST_FRAME = 1024 * 1024
#: an avatar comes as base64 in JSON
MOST_JSON_BYTES = 16 * 1024 * 1024


def unknown_address(method: str, path: str) -> ApiError:
    """404, after a line on stderr that whoever develops a client will see."""
    sys.stderr.write(f"sandbox: UNKNOWN ROUTE {method} {path}\n")
    sys.stderr.flush()
    return plain(404, "Not Found")


@dataclass(frozen=True)
class Reply:
    """An answer whose status is not 200 (with a body) or 204 (without)."""

    status: int
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a handler gets. `user` is who asks; routes with a token in their path have none."""

    world: World
    request: web.Request
    caller: User | None

    @property
    def user(self) -> User:
        if self.caller is None:
            raise plain(401, "Unauthorized")
        return self.caller

    # --- what the path names ----------------------------------------------------------------

    def text(self, name: str) -> str:
        return self.request.match_info[name]

    def id(self, name: str) -> int:
        """A number in the path; what has none there is no address of the API."""
        found = snowflake(self.request.match_info[name])
        if found is None:
            raise unknown_address(self.request.method, self.request.path)
        return found

    def channel(self, *needed: Permission) -> Channel:
        """The channel in the path.

        :raises ApiError: 10003 if there is none, 50001 unseen, 50013 without a `needed` permission
        """
        channel = self.world.channels.get(self.id("channel_id"))
        if channel is None:
            raise refusal(10003)
        held = self.world.permissions(self.user, channel)
        if Permission.VIEW_CHANNEL not in held:
            raise refusal(50001)
        if any(permission not in held for permission in needed):
            raise refusal(50013)
        return channel

    def message(self, channel: Channel) -> Message:
        """:raises ApiError: 10008, if there is none; ephemeral ones are reached by token only"""
        message = channel.messages.get(self.id("message_id"))
        if message is None or message.only_for is not None:
            raise refusal(10008)
        return message

    def guild(self, *needed: Permission) -> None:
        """:raises ApiError: 10004 for another guild, 50013 without a `needed` permission"""
        if self.id("guild_id") != self.world.guild_id:
            raise refusal(10004)
        held = self.world.guild_permissions(self.user)
        if any(permission not in held for permission in needed):
            raise refusal(50013)

    # --- what the query and the body say ----------------------------------------------------

    def query(self) -> Form:
        return Form(dict(self.request.query), Problems())

    async def body(self) -> dict[str, Any]:
        """The JSON object that was sent; an empty body is an empty object.

        :raises ApiError: 50109 for what is no JSON, 40005 for too much of it
        """
        return _object(await self._read())

    async def list_body(self) -> list[Any]:
        found = _json(await self._read())
        if not isinstance(found, list):
            raise refusal(50109)
        return found

    async def _read(self) -> bytes:
        """The whole body; too much of it is read to its end, so that the answer is heard."""
        data, size = bytearray(), 0
        async for chunk in self.request.content.iter_chunked(65_536):
            size += len(chunk)
            if size <= MOST_JSON_BYTES:
                data += chunk
        if size > MOST_JSON_BYTES:
            raise refusal(40005)
        return bytes(data)

    async def body_with_files(self) -> tuple[dict[str, Any], tuple[File, ...]]:
        """A JSON body, or ``payload_json`` with ``files[n]`` in a multipart form.

        :raises ApiError: as `body`
        """
        if not self.request.content_type.startswith("multipart/"):
            return await self.body(), ()
        try:
            return await self._parts()
        except (ValueError, AssertionError, KeyError, HttpProcessingError) as error:
            # each of them is how aiohttp's reader says that the form is broken
            raise refusal(50109) from error

    async def _parts(self) -> tuple[dict[str, Any], tuple[File, ...]]:
        body: dict[str, Any] = {}
        files: dict[int, File] = {}
        left, found = MOST_BYTES + _MOST_FRAME, 0
        async for part in await self.request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            found += 1
            data = bytearray()
            while chunk := await part.read_chunk(65_536):
                left -= len(chunk)
                # what is too much is read to its end, so that the client hears the answer
                if left >= 0:
                    data += chunk
            if part.name == "payload_json":
                body = _object(bytes(data))
            elif part.name and part.name.startswith("file"):
                number = int("".join(c for c in part.name if c in "0123456789")[:3] or 0)
                files[number] = File(
                    filename=part.filename or "unknown",
                    data=bytes(data),
                    content_type=part.headers.get("Content-Type", "application/octet-stream"),
                )
        if left < 0:
            raise refusal(40005)
        if not found:
            raise refusal(50109)
        return body, tuple(files[n] for n in sorted(files))


def _object(raw: bytes) -> dict[str, Any]:
    found = _json(raw)
    if not isinstance(found, dict):
        raise refusal(50109)
    return found


def _json(raw: bytes) -> Any:
    """What `raw` says; numbers that JSON does not have and halves of characters are refused."""
    if not raw:
        return {}
    try:
        found = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
        if b"\\ud" in raw or b"\\uD" in raw:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise refusal(50109) from error
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def answer(result: Any) -> web.Response:
    """A handler's result on the wire; the content type has no charset, which clients compare."""
    status, body = HTTPStatus.OK.value, result
    if isinstance(result, Reply):
        status, body = result.status, result.body
    if body is None:
        return web.Response(status=HTTPStatus.NO_CONTENT if status == HTTPStatus.OK else status)
    return json_response(status, body)


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
        headers={**(headers or {}), "Content-Type": "application/json"},
    )
