"""A provider that takes one key only, and a login in a file, as processes share it.

As a program, ``locksmith.py URL FOLDER AGENT``: says ``ready``, waits for a line, asks the provider
with the old key and prints what came of it.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from brain.errors import LoginRefused
from brain.model import Capabilities, Completion, Conversation, Message, Reader, Role
from brain.models.provider import Key
from brain.models.refreshing import Renewing
from storage.store import Store

ABLE = Capabilities(tools=True, streaming=True, json_schema=True, context_tokens=1000)
NAME = "file:key"
OLD = Key(name=NAME, value="old")
ASKED = Conversation(system="", messages=(Message(role=Role.USER, text="hello"),))


@dataclass
class FileLogin:
    """Keeps the key in ``key``; every renewal leaves a line in ``renewals``."""

    folder: Path
    #: None: the renewal is refused
    new: str | None = "new"
    #: what a renewal waits for
    gate: asyncio.Event | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, name: str) -> Key | None:
        file = self.folder / "key"
        return Key(name=name, value=file.read_text()) if file.exists() else None

    async def renew(self, key: Key) -> Key | None:
        self.begun.set()
        with (self.folder / "renewals").open("a") as renewals:
            renewals.write(f"{key.value}\n")
        # Long enough for the others to meet it.
        await (asyncio.sleep(0.2) if self.gate is None else self.gate.wait())
        if self.new is None:
            return None
        (self.folder / "key").write_text(self.new)
        return Key(name=key.name, value=self.new)

    @property
    def renewals(self) -> list[str]:
        file = self.folder / "renewals"
        return file.read_text().split() if file.exists() else []


@dataclass
class Door:
    """A provider that lets in whoever has the right key."""

    right: str = "new"
    tried: list[str] = field(default_factory=list)
    closed: bool = False
    capabilities: Capabilities = ABLE

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        self.tried.append("" if key is None else key.value)
        await asyncio.sleep(0)
        if key is not None and key.value != self.right:
            raise LoginRefused(f"The key {key.name} was refused (401).")
        if reader is not None:
            reader.piece("Come in.")
        return Completion(text="Come in.")

    async def close(self) -> None:
        self.closed = True


async def main(url: str, folder: Path, agent: str) -> None:
    store = await Store.open(url)
    renewing = Renewing(
        Door(), FileLogin(folder), store, agent=agent, now=lambda: datetime.now(UTC)
    )
    print("ready", flush=True)
    sys.stdin.readline()
    print((await renewing.complete(ASKED, OLD)).text, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
