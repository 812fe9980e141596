"""The sandbox guild for tests: its configuration, a bare gateway client, a person, and discord.py.

`point_at` is all that discord.py needs to talk to another server than Discord.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.sandbox.config import Config
from bots.sandbox.frames import Op
from bots.sandbox.server import Server
from tests.integration.sandbox.bot import PATIENCE_S, Bot

ALL_PRIVILEGED = ["members", "presences", "message_content"]


def bot_token(user_id: int) -> str:
    """A token of the shape of Discord's: the id in base64, then two parts of no meaning."""
    first = base64.b64encode(str(user_id).encode()).decode().rstrip("=")
    return f"{first}.G0tIt.not-a-secret-{user_id}"


CAPTAIN_ID, ROOK_ID, DEAF_ID = 1001000000000000001, 1001000000000000002, 1001000000000000003
CAPTAIN, ROOK, DEAF = bot_token(CAPTAIN_ID), bot_token(ROOK_ID), bot_token(DEAF_ID)
YOU, GUEST = "user-token-you", "user-token-guest"


def plan(**changes: Any) -> dict[str, Any]:
    """A configuration file's content: three bots (one without privileges), two people."""
    return {
        "guild": {"name": "parley"},
        "categories": [
            {"name": "command", "channels": [{"name": "lobby", "topic": "Say hello."}]},
            {"name": "operations", "channels": [{"name": "task-board"}]},
        ],
        "bots": [
            {"name": "captain", "token": CAPTAIN, "intents": ALL_PRIVILEGED},
            {"name": "rook", "token": ROOK, "intents": ALL_PRIVILEGED},
            {"name": "deaf", "token": DEAF, "intents": []},
        ],
        "users": [
            {"name": "you", "token": YOU, "operator": True},
            {"name": "guest", "token": GUEST},
        ],
        "limits": {"enabled": False},
    } | changes


def config(**changes: Any) -> Config:
    return Config.model_validate(plan(**changes))


@contextlib.contextmanager
def point_at(port: int) -> Iterator[None]:
    """Inside, discord.py's REST and gateway are the local server's."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = f"http://127.0.0.1:{port}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://127.0.0.1:{port}/gateway")
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


class Socket:
    """A gateway client that does what the test says and nothing by itself."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket
        self._inflate = zlib.decompressobj()
        self.seq: int | None = None
        self.ready: dict[str, Any] = {}
        self.guild: dict[str, Any] = {}

    async def send(self, op: int, d: Any = None) -> None:
        await self.raw.send_str(json.dumps({"op": op, "d": d}))

    async def receive(self) -> dict[str, Any]:
        """The next frame; AssertionError when the server closed instead."""
        message = await self.raw.receive(timeout=PATIENCE_S)
        if message.type is aiohttp.WSMsgType.BINARY:
            assert message.data.endswith(b"\x00\x00\xff\xff")
            frame = json.loads(self._inflate.decompress(message.data))
        else:
            assert message.type is aiohttp.WSMsgType.TEXT, (message, self.raw.close_code)
            frame = json.loads(message.data)
        self.seq = frame.get("s") or self.seq
        return dict(frame)

    async def until(self, name: str) -> dict[str, Any]:
        """The payload of the next event of this name."""
        while True:
            frame = await self.receive()
            if frame["t"] == name:
                return dict(frame["d"])

    async def closed(self) -> int | None:
        """The code with which the server closes; frames before that are skipped."""
        while True:
            message = await self.raw.receive(timeout=PATIENCE_S)
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            return self.raw.close_code

    async def identify(self, token: str, intents: int | None = None, **more: Any) -> dict[str, Any]:
        """READY, after HELLO and IDENTIFY."""
        assert (await self.receive())["op"] == Op.HELLO
        await self.send(Op.IDENTIFY, identity(token, intents, **more))
        self.ready = await self.until("READY")
        return self.ready


def identity(token: str, intents: int | None = None, **more: Any) -> dict[str, Any]:
    """An IDENTIFY's payload."""
    named = {} if intents is None else {"intents": intents}
    return {"token": token, "properties": {}} | named | more


class Person:
    """Somebody with a user token: REST, and a gateway session when asked for."""

    def __init__(self, http: aiohttp.ClientSession, port: int, token: str) -> None:
        self._http = http
        self._base = f"http://127.0.0.1:{port}/api/v10"
        self._headers = {"Authorization": token}
        self.token = token

    async def ask(self, method: str, path: str, **how: Any) -> Any:
        """The answer's JSON; AssertionError with it when the status is no success."""
        status, body = await self.try_to(method, path, **how)
        assert status < 300, (status, body)
        return body

    async def try_to(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        async with self._http.request(
            method, f"{self._base}{path}", headers=self._headers, **how
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def say(self, channel_id: int | str, content: str, **more: Any) -> dict[str, Any]:
        return dict(
            await self.ask(
                "POST", f"/channels/{channel_id}/messages", json={"content": content, **more}
            )
        )

    async def history(self, channel_id: int | str) -> list[dict[str, Any]]:
        return list(await self.ask("GET", f"/channels/{channel_id}/messages?limit=100"))


class Sandbox:
    """A listening server with the clients that tests open on it; all are closed with it."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.port = server.port
        self.guild_id = server.guild_id
        self._http = http
        self._bots: list[tuple[Bot, asyncio.Task[None]]] = []
        self._sockets: list[Socket] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for bot, task in self._bots:
            await bot.close()
            await asyncio.gather(task, return_exceptions=True)
        for socket in self._sockets:
            await socket.raw.close()

    async def socket(self, query: str = "v=10&encoding=json") -> Socket:
        raw = await self._http.ws_connect(f"ws://127.0.0.1:{self.port}/gateway?{query}")
        self._sockets.append(Socket(raw))
        return self._sockets[-1]

    def person(self, token: str = YOU) -> Person:
        return Person(self._http, self.port, token)

    async def listening(self, token: str = YOU) -> Socket:
        """A person's gateway session, past READY and the guild."""
        socket = await self.socket()
        await socket.identify(token)
        socket.guild = await socket.until("GUILD_CREATE")
        return socket

    async def bot(self, token: str = CAPTAIN, bot: Bot | None = None, **options: Any) -> Bot:
        """A discord.py client that is READY."""
        client = bot or Bot(**options)
        task = asyncio.create_task(client.start(token))
        self._bots.append((client, task))
        ready = asyncio.create_task(_ready(client))
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            task.result()
        return client

    async def chaos(self, deed: str, name: str = "all") -> int:
        async with self._http.post(
            f"http://127.0.0.1:{self.port}/sandbox/chaos",
            json={"do": deed, "bot": name},
            headers={"Authorization": YOU},
        ) as response:
            assert response.status == 200, await response.text()
            return int((await response.json())["affected"])


async def _ready(client: discord.Client) -> None:
    while client._ready is discord.utils.MISSING:  # noqa: ASYNC110 - it exists after login only
        await asyncio.sleep(0)
    await client.wait_until_ready()


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Sandbox]:
    """`server` listens, and discord.py talks to it."""
    async with server, aiohttp.ClientSession() as http:
        with point_at(server.port):
            async with Sandbox(server, http) as sandbox:
                yield sandbox
