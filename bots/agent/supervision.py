"""The agent's end of its lifeline: pongs with its state, kills, resumes and keys in, an operator's
wishes out.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable, Mapping
from typing import Any

from bots.control import wire
from bots.control.door import Unavailable
from bots.lifeline import Lifeline, Message
from storage.latch import Latch

ANSWER_WITHIN_S = 15.0


class Supervision:
    """Speaks with the supervisor. `state` gives the fields that go with every pong."""

    def __init__(
        self,
        *,
        state: Callable[[], Message],
        on_ping: Callable[[], None],
        on_kill: Callable[[Latch], None],
        on_resume: Callable[[], None],
        on_nicks: Callable[[Mapping[str, str | None]], None],
        on_keys: Callable[[Message], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._state = state
        self._on_ping = on_ping
        self._on_kill = on_kill
        self._on_resume = on_resume
        self._on_nicks = on_nicks
        self._on_keys = on_keys
        self._on_stop = on_stop
        self._line: Lifeline | None = None
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[str]] = {}
        self._told: Message = {}

    async def open(self, end: socket.socket, already: bytes) -> None:
        # A supervisor that is gone cannot be served: without it nobody would end us.
        self._line = await Lifeline.open(end, self._hear, self._on_stop, already)

    def tell(self) -> None:
        """Say how we are, if that has changed."""
        state = self._state()
        if state != self._told and self._line is not None:
            self._told = state
            self._line.send(state)

    def confirm(self, latch: Latch) -> None:
        """We have stopped."""
        if self._line is not None:
            self._line.send({"killed": latch.changed_at.isoformat()})

    def pass_on_kill(self, latch: Latch) -> None:
        if self._line is not None:
            self._line.send({"please": "kill", "latch": wire.to_json(latch)})

    async def ask(self, wish: dict[str, Any]) -> str:
        """Have the supervisor do something; its sentence, whether it did it or says why not."""
        number = next(self._ids)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        if self._line is not None:
            self._line.send({**wish, "id": number})
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await answer
        except TimeoutError:
            raise Unavailable("the supervisor does not answer") from None
        finally:
            del self._asked[number]

    def _hear(self, message: Message) -> None:
        if "ping" in message:
            self._on_ping()
            self._told = self._state()
            if self._line is not None:
                self._line.send({"pong": message["ping"], **self._told})
        elif "kill" in message:
            latch = wire.from_json(message["kill"])
            self._on_kill(latch)
            self.confirm(latch)
        elif "resume" in message:
            self._on_resume()
        elif "nicks" in message:
            self._on_nicks(message["nicks"])
        elif "signing_key" in message or "sender_secrets" in message:
            self._on_keys(message)
        elif "answer" in message:
            answer = self._asked.get(message["answer"])
            if answer is not None and not answer.done():
                answer.set_result(message["text"])
        elif "stop" in message:
            self._on_stop()
