"""The bus: core NATS messages that say "look" and "stop". SQL stays the truth; losing one costs
latency only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from structlog.typing import FilteringBoundLogger

_PING_EVERY_S = 5
NUDGE = "parley.nudge"
#: work waits for an agent: only who may give it work may say so
HOOK = "parley.hook"
#: something became of a delegation that an agent gave
RESULT = "parley.result"
#: something happened that others may want to be told
EVENT = "parley.event"
KILL = "parley.control.kill"
RESUME = "parley.control.resume"
CONFIRM = "parley.control.confirm"


def permissions(user: str, may_give_to: Iterable[str]) -> dict[str, list[str]]:
    """Subjects that agent `user` may publish and subscribe; `may_give_to` are those that it may
    hand work to.

    Anyone may kill; only a supervisor may resume, so an agent's credentials can never undo a kill.
    """
    hooks = [f"{HOOK}.{agent}" for agent in may_give_to]
    return {
        "publish": [
            *(f"{NUDGE}.>", KILL, f"{CONFIRM}.{user}", f"{EVENT}.{user}.>", f"{RESULT}.>"),
            *hooks,
        ],
        "subscribe": [
            *(f"{NUDGE}.{user}", f"{HOOK}.{user}", f"{RESULT}.{user}"),
            *("parley.control.>", f"{EVENT}.>", f"_INBOX_{user}.>"),
        ],
    }


class Bus:
    """One connection, made again for ever; every method may be called while it is down."""

    def __init__(self, url: str, user: str, password: str, *, log: FilteringBoundLogger) -> None:
        self._url = url
        self._user = user
        self._password = password
        self._log = log
        self._client: Client | None = None
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def run(self, subscriptions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
        """Stay connected until cancelled; handlers get the JSON object of each message."""
        client = self._client = await self._connect()
        for subject, handler in subscriptions.items():
            await client.subscribe(subject, cb=_decoded(handler, self._log))
        try:
            await asyncio.Event().wait()
        finally:
            await client.close()

    def publish(self, subject: str, body: dict[str, Any]) -> None:
        """Send without waiting; nothing is promised."""
        if self._client is None:
            return
        task = asyncio.create_task(self._publish(self._client, subject, json.dumps(body).encode()))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def nudge(self, agent: str) -> None:
        """Tell `agent` to look into its inbox."""
        self.publish(f"{NUDGE}.{agent}", {})

    async def _connect(self) -> Client:
        return await nats.connect(
            self._url,
            user=self._user,
            password=self._password,
            name=self._user,
            inbox_prefix=f"_INBOX_{self._user}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            connect_timeout=2,
            # A server that is stopped, not dead, keeps its sockets open: ask whether it lives.
            ping_interval=_PING_EVERY_S,
            max_outstanding_pings=2,
            error_cb=self._on_error,
        )

    async def _publish(self, client: Client, subject: str, body: bytes) -> None:
        try:
            await client.publish(subject, body)
        except NatsError as error:
            self._log.info("bus.dropped", subject=subject, error=str(error))

    async def _on_error(self, error: Exception) -> None:
        self._log.info("bus.error", error=str(error) or type(error).__name__)


def _decoded(handler: Callable[[dict[str, Any]], None], log: FilteringBoundLogger) -> Any:
    async def receive(message: Msg) -> None:
        try:
            body = json.loads(message.data or b"{}")
        except ValueError:
            log.warning("bus.malformed", subject=message.subject)
            return
        if isinstance(body, dict):
            handler(body)

    return receive
