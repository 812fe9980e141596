"""A hook until it is accepted (signature checked, row committed), beside a bare aiohttp handler
that commits one row.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
import structlog
from aiohttp import web
from pydantic import SecretStr

from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.hook_settings import HookSettings
from bots.hooks.door import HookDoor
from bots.hooks.making import hook_room
from bots.keys.signer import Signer, new_id, new_pair, new_secret
from bots.secrets import Redactor
from storage import keys
from storage.core import NONCE
from storage.key_life import OVERLAP
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.migrate import upgrade
from storage.store import Store
from storage.unit import Unit
from tests.benchmarks.figures import at_most, percentile, report, spread
from tests.hmac_sender import HmacSender
from tests.integration.delegating.office import Clerk, office
from tests.integration.hooks.stage import TOKEN, signed

ROUNDS = 400
WARMING = 40
#: times what the bare handler takes
TARGET = 5.0
HOOKS = HookSettings.model_validate(
    {"per_minute": 1e9, "burst": 10**9, "senders": {"cron": {"may_delegate_to": ["all"]}}}
)

BARE = "a bare handler that commits one row by the store"
BAREST = "a bare handler that commits one row by sqlite3 in its event loop"
TOLD = "accepted by token"
SIGNED = "accepted with an Ed25519 signature"
SHARED = "accepted with an HMAC signature"

#: a whole request, made anew each time
Ask = Callable[[], bytes]


async def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        store = await Store.open(f"sqlite:///{folder / 'parley.sqlite'}", connections=2)
        stack.push_async_callback(store.close)
        await upgrade(store, folder / "upgrade.lock")
        crew = await stack.enter_async_context(office(store, folder, hire=()))
        crew.settings = crew.settings.model_copy(update={"hooks": HOOKS})
        captain = await crew.hire("captain", works=False)
        agent = await key_of(store, "secretary", KeyAlgorithm.ED25519)
        sender = await key_of(store, "cron", KeyAlgorithm.HMAC_SHA256)
        door = await stack.enter_async_context(
            Opened(captain, store, {sender.key_id: sender.secret})
        )
        bare = await stack.enter_async_context(Bare(through(store)))
        barest = await stack.enter_async_context(Bare(past(folder / "bare.sqlite")))
        asked = {
            BARE: (bare.port, lambda: request(body_of(None, ""))),
            BAREST: (barest.port, lambda: request(body_of(None, ""))),
            TOLD: (door.port, lambda: request(body_of(None, ""), token=TOKEN)),
            SIGNED: (door.port, lambda: request(body_of(agent, "secretary"))),
            SHARED: (door.port, lambda: request(body_of(sender, "cron"))),
        }
        tell(await measure(asked))


async def measure(asked: dict[str, tuple[int, Ask]]) -> dict[str, list[float]]:
    """Milliseconds of each, asked in turns over connections that stay open."""
    lines = {name: await asyncio.open_connection("127.0.0.1", p) for name, (p, _) in asked.items()}
    took_ms: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS + WARMING):
        for name, (_, ask) in asked.items():
            # Signing is the caller's work.
            raw = ask()
            began_s = time.perf_counter()
            await answered(*lines[name], raw)
            took_ms[name].append((time.perf_counter() - began_s) * 1000)
    for _, writer in lines.values():
        writer.close()
    return {name: values[WARMING:] for name, values in took_ms.items()}


async def answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes
) -> dict[str, Any]:
    writer.write(raw)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    answer: dict[str, Any] = json.loads(await reader.readexactly(length))
    if b" 202 " not in head.partition(b"\r\n")[0]:
        raise RuntimeError(f"not accepted: {answer}")
    return answer


def tell(took_ms: dict[str, list[float]]) -> None:
    middle = {name: percentile(values, 50) for name, values in took_ms.items()}
    for name, values in took_ms.items():
        note = f"{spread(values, 2)} requests, p95 {percentile(values, 95):.2f}"
        report("hooks", f"{name}, p50", middle[name], "ms", note=note)
    for name in (TOLD, SIGNED, SHARED):
        times = middle[name] / middle[BARE]
        note = f"SQLite; {middle[name] / middle[BAREST]:.1f} times {BAREST}"
        report("hooks", f"{name}, beside {BARE}", times, "x", target=at_most(TARGET), note=note)


def request(body: bytes, token: str = "") -> bytes:
    head = f"POST /hooks/agent HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    head += f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{head}\r\n".encode() + body


def body_of(signer: Signer | HmacSender | None, name: str) -> bytes:
    words = {"message": f"count the mixers of {secrets.token_hex(4)}"}
    return json.dumps(words if signer is None else signed(signer, name, words)).encode()


async def key_of(store: Store, owner: str, alg: KeyAlgorithm) -> Signer | HmacSender:
    is_agent = alg is KeyAlgorithm.ED25519
    public, secret = new_pair() if is_agent else ("", new_secret())
    new = keys.NewKey(
        key_id=new_id(owner),
        owner=owner,
        kind=KeyKind.AGENT if is_agent else KeyKind.SENDER,
        alg=alg,
        public=public,
        sealed="not-sealed-here",
        master="bench",
        expires_at=utc_now() + timedelta(days=1),
    )
    await store.write(lambda unit: keys.add(unit, new, by="bench", now=utc_now(), overlap=OVERLAP))
    return Signer(new.key_id, secret) if is_agent else HmacSender(new.key_id, secret)


class Opened:
    """The captain's real door before its real desk; nobody takes up what is given."""

    def __init__(self, captain: Clerk, store: Store, held: dict[str, SecretStr]) -> None:
        spec: AgentSpec = captain.spec.model_copy(update={"hook_token": SecretStr(TOKEN)})
        room = hook_room(
            spec,
            store=store,
            desk=captain.desk,
            secret_of=held.get,
            authority=captain.desk.authority,
            latch=captain.desk.latch,
            redactor=Redactor(spec.secrets()),
            log=structlog.get_logger(),
        )
        self._door = HookDoor(room, spec.settings.hooks, token="not-used", health=dict, steering={})

    async def __aenter__(self) -> Self:
        await self._door.open()
        self.port = int(self._door.url.rpartition(":")[2])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._door.close()


class Bare:
    """As little as a handler can do that keeps one row: no check, no engine, no audit."""

    def __init__(self, keep: Callable[[str], Awaitable[None]]) -> None:
        self._keep = keep

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/hooks/agent", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        await self._keep(message)
        return web.json_response({"message": message}, status=202)


def through(store: Store) -> Callable[[str], Awaitable[None]]:
    """One row by the store that all agents share."""
    # The smallest table that there is.
    row = sa.insert(NONCE)

    async def keep(message: str) -> None:
        values = {"value": f"{message} {secrets.token_hex(8)}", "expires_at": utc_now()}

        async def add(unit: Unit) -> None:
            await unit.execute(row, values)

        await store.write(add)

    return keep


def past(path: Path) -> Callable[[str], Awaitable[None]]:
    """One row by sqlite3 itself, in a file of its own, while the event loop stands still."""
    database = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
        database.execute(f"PRAGMA {setting}")
    database.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, message TEXT)")

    async def keep(message: str) -> None:
        database.execute("INSERT INTO task (message) VALUES (?)", [message])

    return keep


if __name__ == "__main__":
    asyncio.run(main())
