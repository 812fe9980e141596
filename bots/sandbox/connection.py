"""One gateway socket: what comes in, what goes out, and when it is closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bots.sandbox import frames
from bots.sandbox.compression import Packer
from bots.sandbox.config import GatewaySpec
from bots.sandbox.frames import Close, Op, Refused
from bots.sandbox.session import Session

if TYPE_CHECKING:
    from bots.sandbox.gateway import Gateway

_MINUTE_S = 60.0
#: heartbeats may come this many intervals late before the socket is dropped
_PATIENCE = 1.5


class Connection:
    """A client's socket; it speaks for one session after IDENTIFY or RESUME."""

    def __init__(
        self, gateway: Gateway, request: web.Request, socket: web.WebSocketResponse, packer: Packer
    ) -> None:
        self.session: Session | None = None
        #: chaos: the socket stays open, and nothing is sent any more
        self.zombie = False
        #: the address under which this client found us, for READY's resume_gateway_url
        self.host = request.host
        self._gateway = gateway
        self._request = request
        self._socket = socket
        self._packer = packer
        self._spec: GatewaySpec = gateway.spec
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._room = self._spec.queue_frames
        self._received_at: deque[float] = deque()
        self._beat_by_s = 0.0
        self._handlers: dict[Op, Callable[[Any], None]] = {
            Op.HEARTBEAT: self._heartbeat,
            Op.IDENTIFY: self._identify,
            Op.RESUME: self._resume,
            Op.PRESENCE_UPDATE: self._presence,
            Op.REQUEST_GUILD_MEMBERS: self._members,
            # there is no voice here: heard, and not answered
            Op.VOICE_STATE_UPDATE: lambda _: None,
        }

    # --- going out ------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Queue one frame. A client that lets too many wait loses the socket, not its session."""
        if self.zombie:
            return
        if self._outgoing.qsize() >= self._room:
            self.abort()
            return
        self._outgoing.put_nowait(text)

    def replay(self, texts: Iterable[str]) -> None:
        """Queue what was missed, however much it is, beside the room for what comes new."""
        for text in texts:
            self._outgoing.put_nowait(text)
        self._room = self._spec.queue_frames + self._outgoing.qsize()

    def abort(self) -> None:
        """Cut the socket without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _write(self) -> None:
        """Send what is queued until the socket is gone; the reader notices that it is."""
        with contextlib.suppress(ConnectionError):
            while True:
                packed = self._packer.pack(await self._outgoing.get())
                if self.zombie:
                    continue
                if isinstance(packed, bytes):
                    await self._socket.send_bytes(packed)
                else:
                    await self._socket.send_str(packed)

    # --- coming in ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Greet, then read until either side is through."""
        interval_ms = int(self._spec.heartbeat_interval_s * 1000)
        self._expect_heartbeat()
        self.send(frames.text(Op.HELLO, {"heartbeat_interval": interval_ms}))
        writer = asyncio.create_task(self._write())
        # a client that is not written to any more must not look connected
        writer.add_done_callback(lambda _: self.abort())
        clean = False
        try:
            clean = await self._read()
        except Refused as refused:
            await self._socket.close(code=refused.code, message=refused.reason.encode())
        finally:
            writer.cancel()
            await asyncio.wait({writer})
            self._gateway.detach(self, clean=clean)

    async def _read(self) -> bool:
        """Handle frames until the client leaves: whether it ended its session by that.

        Discord's documentation, "Gateway", "Disconnecting": close codes 1000 and 1001 end it.
        """
        while True:
            try:
                message = await self._socket.receive(timeout=self._patience_s())
            except TimeoutError:
                raise Refused(Close.UNKNOWN_ERROR, "Heartbeat missed.") from None
            if message.type is WSMsgType.CLOSE:
                return message.data in (1000, 1001)
            if message.type is not WSMsgType.TEXT:
                if message.type is WSMsgType.BINARY:
                    raise Refused(Close.DECODE_ERROR, "Error while decoding payload.")
                return False
            self._count_frame()
            op, data = frames.parse(message.data)
            handler = self._handlers.get(op)
            if handler is None:
                raise Refused(Close.UNKNOWN_OPCODE, "Unknown opcode.")
            if self.session is None and op not in (Op.HEARTBEAT, Op.IDENTIFY, Op.RESUME):
                raise Refused(Close.NOT_AUTHENTICATED, "Not authenticated.")
            handler(data)

    def _count_frame(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._received_at.append(now_s)
        while self._received_at[0] <= now_s - _MINUTE_S:
            self._received_at.popleft()
        if len(self._received_at) > self._spec.frames_per_minute:
            raise Refused(Close.RATE_LIMITED, "Rate limited.")

    def _expect_heartbeat(self) -> None:
        patience_s = self._spec.heartbeat_interval_s * _PATIENCE
        self._beat_by_s = asyncio.get_running_loop().time() + patience_s

    def _patience_s(self) -> float:
        # aiohttp reads 0 as "no limit"
        return max(0.001, self._beat_by_s - asyncio.get_running_loop().time())

    # --- what clients ask -----------------------------------------------------------------------

    def _heartbeat(self, data: Any) -> None:
        self._expect_heartbeat()
        self.send(frames.text(Op.HEARTBEAT_ACK, None))

    def _identify(self, data: Any) -> None:
        if self.session is not None:
            raise Refused(Close.ALREADY_AUTHENTICATED, "Already authenticated.")
        self._gateway.identify(self, _object(data))

    def _resume(self, data: Any) -> None:
        if self.session is not None:
            raise Refused(Close.ALREADY_AUTHENTICATED, "Already authenticated.")
        self._gateway.resume(self, _object(data))

    def _presence(self, data: Any) -> None:
        if self.session is not None:
            self._gateway.show_presence(self.session, _object(data))

    def _members(self, data: Any) -> None:
        if self.session is not None:
            self._gateway.tell_members(self.session, _object(data))


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Refused(Close.DECODE_ERROR, "Error while decoding payload.")
    return data
