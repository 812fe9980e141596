"""One person's gateway session: it outlives sockets by RESUME, and begins anew when it cannot.

Source: Discord's documentation, "Gateway".
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any

import aiohttp

_log = logging.getLogger(__name__)

_CONNECT_S = 5.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
#: close codes after which trying again is of no use
_FATAL = {
    4004: "The guild does not know this person's token.",
    4010: "The guild wants a shard.",
    4011: "The guild wants sharding.",
    4012: "The guild speaks another version.",
}
#: close codes after which the session cannot be resumed
_ENDED = frozenset({1000, 1001, 4003, 4007, 4009})


class Op(IntEnum):
    """The operations of the gateway."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class _Lost(Exception):
    """This socket is of no use any more."""


class GatewaySession:
    """Calls `on_event(name, data)` in order, and `on_link(connected, why)` when that changes."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        on_event: Callable[[str, dict[str, Any]], None],
        on_link: Callable[[bool, str], None],
        rng: random.Random,
    ) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._on_event = on_event
        self._on_link = on_link
        self._rng = rng
        self._resume_url = ""
        self._seq: int | None = None
        self._acknowledged = True
        #: interactions name the session that they come from
        self.id = ""

    async def run(self) -> None:
        """Stay connected for ever; returns only when the guild will never let this person in."""
        pause_s = _FIRST_PAUSE_S
        while True:
            why = "The guild does not answer."
            try:
                if await self._connect():
                    pause_s = _FIRST_PAUSE_S
            except _Fatal as error:
                self._on_link(False, str(error))
                return
            except (aiohttp.ClientError, TimeoutError, OSError, _Lost) as error:
                _log.info("gateway: %s", error or type(error).__name__)
            self._on_link(False, why)
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    async def _connect(self) -> bool:
        """One socket from HELLO to its end: whether the guild spoke to us on it."""
        base = (self._resume_url if self.id else "") or self._url
        async with asyncio.timeout(_CONNECT_S):
            socket = await self._http.ws_connect(
                f"{base}?v=10&encoding=json", max_msg_size=0, autoping=True
            )
        async with socket:
            hello = await asyncio.wait_for(self._receive(socket), _CONNECT_S)
            interval_s = hello["d"]["heartbeat_interval"] / 1000
            self._acknowledged = True
            beating = asyncio.create_task(self._beat(socket, interval_s))
            try:
                await socket.send_json(self._greeting())
                return await self._listen(socket)
            finally:
                beating.cancel()
                with suppress(asyncio.CancelledError):
                    await beating

    def _greeting(self) -> dict[str, Any]:
        if self.id:
            data = {"token": self._token, "session_id": self.id, "seq": self._seq or 0}
            return {"op": Op.RESUME, "d": data}
        properties = {"os": "linux", "browser": "parley console", "device": "parley console"}
        data = {"token": self._token, "properties": properties, "capabilities": 0}
        return {"op": Op.IDENTIFY, "d": data}

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            code = socket.close_code
            if code in _FATAL:
                raise _Fatal(_FATAL[code])
            if code in _ENDED:
                self._forget()
            raise _Lost(f"closed with {code}")
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        spoke = False
        while True:
            try:
                frame = await self._receive(socket)
            except _Lost:
                return spoke
            match frame["op"]:
                case Op.DISPATCH:
                    spoke = True
                    self._dispatch(frame)
                case Op.HEARTBEAT:
                    await socket.send_json({"op": Op.HEARTBEAT, "d": self._seq})
                case Op.HEARTBEAT_ACK:
                    self._acknowledged = True
                case Op.RECONNECT:
                    return True
                case Op.INVALID_SESSION:
                    if not frame.get("d"):
                        self._forget()
                    return spoke

    def _dispatch(self, frame: dict[str, Any]) -> None:
        self._seq = frame["s"]
        name, data = frame["t"], frame["d"]
        if name == "READY":
            self.id = str(data["session_id"])
            self._resume_url = str(data.get("resume_gateway_url") or "")
        self._on_event(name, data)
        if name in ("RESUMED", "GUILD_CREATE"):
            self._on_link(True, "")

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse, interval_s: float) -> None:
        """Heartbeats; a socket that does not answer one is dead, whatever TCP says."""
        await asyncio.sleep(interval_s * self._rng.random())
        with suppress(ConnectionError):
            while True:
                if not self._acknowledged:
                    await socket.close(code=4000)
                    return
                self._acknowledged = False
                await socket.send_json({"op": Op.HEARTBEAT, "d": self._seq})
                await asyncio.sleep(interval_s)

    def _forget(self) -> None:
        self.id, self._seq, self._resume_url = "", None, ""


class _Fatal(Exception):
    """The guild will never take this session."""
