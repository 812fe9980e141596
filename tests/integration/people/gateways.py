"""A mail server and a phone gateway on loopback: real protocols, and faults on request."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class MailServer:
    """As much of SMTP (RFC 5321, 3207, 4954) as a client that submits mail needs."""

    tls: ssl.SSLContext | None = None
    user: str = ""
    password: str = ""
    #: verb → what it is answered instead; ``hang up`` closes the connection
    faults: dict[str, str] = field(default_factory=dict)
    port: int = 0
    #: what arrived: sender, recipient, message
    messages: list[tuple[str, str, str]] = field(default_factory=list)
    #: verbs that were said, and how often somebody came
    said: list[str] = field(default_factory=list)
    #: set when a message has come
    came: asyncio.Event = field(default_factory=asyncio.Event)
    #: a message is answered once this is set
    hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = _Visit(self, reader, writer)
        await visit.say("220 here")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            self.said.append(verb)
            fault = self.faults.get(verb)
            if fault == "hang up" or not await visit.answer(verb, line, fault):
                break
        writer.close()


@dataclass
class _Visit:
    """One connection."""

    server: MailServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool = False
    known: bool = False
    sender: str = ""
    recipient: str = ""

    async def say(self, *lines: str) -> bool:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()
        return True

    async def answer(self, verb: str, line: str, fault: str | None) -> bool:
        """Answer one command; False when the connection ends."""
        if fault is not None:
            return await self.say(fault)
        if verb == "DATA":
            return await self._message()
        await self.say(*self._lines(verb, line))
        if verb == "STARTTLS" and self.server.tls is not None:
            await self.writer.start_tls(self.server.tls)
            self.encrypted = True
        return verb != "QUIT"

    def _lines(self, verb: str, line: str) -> list[str]:
        match verb:
            case "EHLO" | "HELO":
                offered = self.server.tls and not self.encrypted
                starts = ["250-STARTTLS"] if offered else []
                return ["250-here", *starts, "250-AUTH PLAIN", "250 OK"]
            case "AUTH":
                wanted = f"\0{self.server.user}\0{self.server.password}"
                self.known = base64.b64decode(line.split()[2]).decode() == wanted
                return ["235 known" if self.known else "535 no"]
            case "MAIL":
                bare = self.server.tls and not self.encrypted
                if bare or (self.server.user and not self.known):
                    return ["530 first things first"]
                self.sender = line.partition("<")[2].partition(">")[0]
            case "RCPT":
                self.recipient = line.partition("<")[2].partition(">")[0]
        return [{"STARTTLS": "220 go on", "QUIT": "221 bye"}.get(verb, "250 OK")]

    async def _message(self) -> bool:
        await self.say("354 go on")
        text = (await self.reader.readuntil(b"\r\n.\r\n")).decode()
        self.server.messages.append((self.sender, self.recipient, text))
        self.server.came.set()
        if self.server.hold is not None:
            await self.server.hold.wait()
        fault = self.server.faults.get("message", "250 taken as 4711")
        return fault != "hang up" and await self.say(fault)


@asynccontextmanager
async def mail_server(**more: Any) -> AsyncIterator[MailServer]:
    made = MailServer(**more)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@dataclass
class Gateway:
    """A gateway to phones: keeps what it gets, answers as it is told."""

    port: int = 0
    #: path, headers and JSON body of each call
    calls: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    #: status of the next answers, then 200; 0 cuts the connection
    answers: list[int] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.path_qs, dict(request.headers), await request.json()))
        self.came.set()
        status = self.answers.pop(0) if self.answers else 200
        if status == 0 and request.transport is not None:
            request.transport.abort()
        if status in {301, 307}:
            return web.Response(status=status, headers={"Location": f"{self.url}/elsewhere"})
        return web.json_response({}, status=status or 200)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()
