"""People in the sandbox guild: they say things, and see what their gateway session tells them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, Self

import aiohttp

from tests.acceptance.stage import PATIENCE_S

Json = dict[str, Any]


class HasStatus(Protocol):
    async def status(self) -> Json: ...


@dataclass
class Guest:
    """One person with a user token: REST, and everything that the gateway sends."""

    name: str
    http: aiohttp.ClientSession
    api: str
    gateway: str
    guild: str
    token: str = field(repr=False)
    #: (name, payload) of every event, oldest first
    events: list[tuple[str, Json]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: asyncio.Task[None] | None = None
    _channels: dict[str, str] = field(default_factory=dict)
    _members: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def enter(cls, swarm: HasStatus, name: str = "you") -> Self:
        """Come online as this user of the swarm's sandbox guild."""
        discord = (await swarm.status())["discord"]
        user = next(u for u in discord["users"] if u["name"] == name)
        http = aiohttp.ClientSession(headers={"Authorization": user["token"]})
        guest = cls(name, http, discord["api"], discord["gateway"], discord["guild"], user["token"])
        guest._reading = asyncio.create_task(guest._read())
        guild = await guest.sees("GUILD_CREATE", lambda _: True)
        guest._channels = {c["name"]: c["id"] for c in guild["channels"]}
        guest._members = {m["user"]["username"]: m["user"]["id"] for m in guild["members"]}
        return guest

    async def leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self.http.close()

    async def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        """The answer's JSON; AssertionError when it is a refusal. Waits where it is told to."""
        while True:
            async with self.http.request(method, self.api + path, json=body) as response:
                text = await response.text()
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                await asyncio.sleep(float(response.headers["Retry-After"]))
                continue
            assert response.status < 300, (response.status, text)
            return json.loads(text) if text else None

    def mention(self, *agents: str) -> str:
        return " ".join(f"<@{self._members[a]}>" for a in agents)

    def channel(self, name: str) -> str:
        """The id of a channel, or of the private conversation with an agent (``@captain``)."""
        return self._channels[name]

    def knows(self, name: str) -> bool:
        """Whether this channel, or private conversation, is known."""
        return name in self._channels

    def know_channel(self, name: str, channel_id: str) -> None:
        """Call a thread by a name."""
        self._channels[name] = channel_id

    async def say(self, text: str, channel: str = "lobby", **more: Any) -> Json:
        if channel.startswith("@") and channel not in self._channels:
            opened = await self.ask(
                "POST", "/users/@me/channels", {"recipient_id": self._members[channel[1:]]}
            )
            self._channels[channel] = opened["id"]
        path = f"/channels/{self._channels[channel]}/messages"
        said: Json = await self.ask("POST", path, {"content": text} | more)
        return said

    async def history(self, channel: str = "lobby") -> list[Json]:
        """The newest hundred messages, oldest first."""
        path = f"/channels/{self._channels[channel]}/messages?limit=100"
        found: list[Json] = await self.ask("GET", path)
        return list(reversed(found))

    async def sees(
        self, event: str, met: Callable[[Json], Any], within_s: float = PATIENCE_S, after: int = 0
    ) -> Json:
        """The first event of this name (from index `after` on) for which `met` is true."""
        seen = after
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for name, payload in self.events[seen:]:
                        if name == event and met(payload):
                            return payload
                    seen = len(self.events)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            tail = "\n".join(f"{n} {str(p)[:200]}" for n, p in self.events[-8:])
            raise AssertionError(f"{self.name} did not see {event}; last events:\n{tail}") from None

    async def hears(self, agent: str, words: str, **how: Any) -> Json:
        """The first message of this agent that has these words."""
        return await self.sees(
            "MESSAGE_CREATE",
            lambda m: m["author"]["username"] == agent and words in m["content"],
            **how,
        )

    def answers(self, agent: str, message: Json) -> list[Json]:
        """Messages of the agent that answer this one, as far as they were seen."""
        return [
            m
            for name, m in self.events
            if name == "MESSAGE_CREATE"
            and m["author"]["username"] == agent
            and (m.get("message_reference") or {}).get("message_id") == message["id"]
        ]

    async def asks(
        self, agent: str, text: str, channel: str = "lobby", within_s: float = PATIENCE_S
    ) -> Json:
        """Mention the agent and wait for its answer to this very message."""
        said = await self.say(f"{self.mention(agent)} {text}", channel)
        return await self.sees(
            "MESSAGE_CREATE",
            lambda m: (
                m["author"]["username"] == agent
                and (m.get("message_reference") or {}).get("message_id") == said["id"]
            ),
            within_s,
        )

    async def _read(self) -> None:
        while True:
            with suppress(aiohttp.ClientError, OSError):
                async with self.http.ws_connect(self.gateway + "?v=10&encoding=json") as socket:
                    await self._listen(socket)
            await asyncio.sleep(0.05)  # the guild is being born again

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        hello = await socket.receive_json()
        beat_s = hello["d"]["heartbeat_interval"] / 1000
        identify = {"token": self.token, "properties": {}}
        await socket.send_json({"op": 2, "d": identify})
        beating = asyncio.create_task(_beat(socket, beat_s))
        try:
            async for message in socket:
                frame = json.loads(message.data)
                if frame["op"] == 0:
                    self.events.append((frame["t"], frame["d"]))
                    self._news.set()
        finally:
            beating.cancel()


async def _beat(socket: aiohttp.ClientWebSocketResponse, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await socket.send_json({"op": 1, "d": None})
