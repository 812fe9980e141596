"""The body of a request: never more of it than may be, and JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, NoReturn

from aiohttp import web

from bots.hooks.refusal import Refused

#: for the whole body, however slowly it drips
_READ_S: Final = 30.0


def refuse_larger(request: web.Request, limit: int) -> None:
    """Raises `Refused` for what is too large by its own words, before anything of it is read."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)


async def read(request: web.Request, limit: int) -> bytes:
    """All of it; raises `Refused` for more than `limit` bytes, however they come (chunked, packed),
    and for what breaks off.
    """
    refuse_larger(request, limit)
    whole = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            async for piece in request.content.iter_any():
                whole += piece
                if len(whole) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise Refused("slow", f"the body did not come within {_READ_S:.0f} s") from None
    except web.RequestPayloadError:
        raise Refused("bad_json", "the body is not whole, or not packed as it says") from None
    return bytes(whole)


def object_in(raw: bytes) -> dict[str, Any]:
    """The JSON object; nothing at all is an empty one. Raises `Refused`."""
    if not raw:
        return {}
    try:
        found = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        # Neither the words nor the place: the body is nobody else's business.
        raise Refused("bad_json", "the body is no JSON") from None
    if not isinstance(found, dict):
        raise Refused("bad_json", "the body is no JSON object")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _too_large(limit: int) -> Refused:
    return Refused("too_large", f"a body has at most {limit} bytes")
