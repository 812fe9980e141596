"""The duplex pipe between the supervisor and one agent: a JSON object a line, both ways.

Supervisor to agent: first the spec it is born with, then ``{"ping": n}``, ``{"kill": latch}``,
``{"resume": latch}``, ``{"nicks": {agent: nick}}``, ``{"answer": id, …}``, ``{"stop": true}``,
``{"signing_key": {"key_id", "private"}}`` (base64 of the Ed25519 key to sign with from now on;
None: it has none any more) and ``{"sender_secrets": {key_id: secret}}`` (the HMAC secrets of the
outside senders that it may hear from now on, and no others).
Agent to supervisor: ``{"pong": n, "state", "reason", "nick", "discord", "hook_url", "door_url"}``,
``{"killed": changed_at}``, ``{"please": "kill", "latch"}``,
``{"please": "steer", "id", "words", …}``, ``{"please": "key", "id", "reference"}``. End of
file means that the other side is dead.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

_LONGEST_LINE = 1 << 16

Message = dict[str, Any]


def first_message(end: socket.socket) -> tuple[Message, bytes]:
    """Wait for the first message, before there is an event loop; with it what came behind it.

    Raises `ConnectionError` when the other side is gone.
    """
    data = b""
    while b"\n" not in data:
        more = end.recv(_LONGEST_LINE)
        if not more:
            raise ConnectionError("the supervisor is gone")
        data += more
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


class Lifeline(asyncio.Protocol):
    """One end. `on_message` gets each message; `on_end` is called once, when the other is gone."""

    def __init__(self, on_message: Callable[[Message], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(
        cls,
        end: socket.socket,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
        already: bytes = b"",
    ) -> Lifeline:
        """`already` is what was read from `end` beyond its first message (see `first_message`)."""
        end.setblocking(False)
        loop = asyncio.get_running_loop()
        _, line = await loop.connect_accepted_socket(lambda: cls(on_message, on_end), end)
        line.data_received(already)
        return line

    def send(self, message: Message) -> None:
        """Send one message; into a dead lifeline it is dropped, `on_end` has told or will tell."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > _LONGEST_LINE:
            self.close()
        for line in lines:
            self._on_message(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._on_end()
