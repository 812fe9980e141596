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
_READ_BYTES = 1 << 12

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


class Lifeline(asyncio.BufferedProtocol):
    """One end. `on_message` gets each message; `on_end` is called once, when the other is gone.

    It reads into a small buffer of its own: a stream's reader would take a quarter of a megabyte
    for each ping.
    """

    def __init__(self, on_message: Callable[[Message], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._read = bytearray(_READ_BYTES)
        #: the beginning of a line whose end has not come yet
        self._begun = b""
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
        line.take(already)
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

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._read

    def buffer_updated(self, nbytes: int) -> None:
        self.take(bytes(self._read[:nbytes]))

    def take(self, data: bytes) -> None:
        """Pass on the messages that end in what was read just now."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > _LONGEST_LINE:
            self.close()
        for line in lines:
            self._on_message(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._on_end()
