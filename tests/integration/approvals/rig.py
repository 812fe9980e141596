"""The captain's cards on a sandbox guild: a real client, a real store, people who press."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import structlog

from bots.control.consequences import Consequences, Deed, decided, restart
from bots.control.requests import Question, Requests
from bots.discord.answers import Answers
from bots.discord.approvals import Approvals
from bots.discord.presses import Presses
from bots.house_settings import ApprovalSettings
from bots.sandbox.snowflake import named
from bots.secrets import Redactor
from brain.guard import Guard, LatchPolicy
from storage import requests
from storage.latch import Latch
from storage.request import CASES
from storage.requests import Approvers, Request
from storage.store import Store
from storage.tables import RequestState
from tests.integration.discord.stage import Agent
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import CAPTAIN_ID, GUEST, YOU, Sandbox, Socket

PATIENCE_S = 20.0
SECRET = "ghp_" + "a1B2" * 8
OPERATORS = Approvers((), (str(named("role", "operators")),))


def question(**changes: Any) -> Question:
    values: dict[str, Any] = {
        "kind": "restart",
        "subject": "secretary",
        "title": "Restart secretary",
        "facts": (("Why", f"it hangs, key {SECRET}"),),
        "asked_by": "guest",
        "trace_id": secrets.token_hex(8),
    }
    return Question(**(values | changes))


class Clock:
    """The time, and whatever a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Captain:
    """One life of the captain's process, as far as cards go."""

    def __init__(self, sandbox: Sandbox, store: Store, folder: Path) -> None:
        self.clock = Clock()
        self.latch: Latch | None = None
        self.orders: list[dict[str, Any]] = []
        self.log = log = structlog.get_logger()
        self.store = store
        self.guard = guard = Guard(
            store, [LatchPolicy(lambda _: self.latch)], time.monotonic, self.clock
        )
        self.transport = Pressed(sandbox, folder, wanted=("#lobby",))
        self.requests = Requests(
            store=store,
            captain="captain",
            settings=ApprovalSettings(channel="#lobby"),
            operators=OPERATORS,
            redact=Redactor().redact,
            clock=self.clock,
            watchers=[self.nudge],
        )
        self.approvals = Approvals(
            self.transport.transport,
            store,
            guard,
            "captain",
            latch=lambda: self.latch,
            log=log,
        )
        self.consequences = Consequences(
            store,
            "captain",
            {
                "restart": restart("captain", self._ask),
                "burn": Deed(self._burn, lambda _: False),
                **dict.fromkeys(CASES, decided()),
            },
            latch=lambda: self.latch,
            changed=self.approvals.nudge,
            clock=self.clock,
            log=log,
        )
        self.transport.presses = Presses(
            agents={str(CAPTAIN_ID): "captain"},
            requests=self.requests,
            answers=Answers("captain", guard, self.transport.transport.speech, log),
            latch=lambda: self.latch,
            log=log,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.transport.__aenter__()
        await self.transport.ready()
        parts = (self.approvals.run(), self.consequences.run())
        self._tasks = [asyncio.create_task(part) for part in parts]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.__aexit__()

    def nudge(self) -> None:
        self.approvals.nudge()
        self.consequences.nudge()

    async def became(self, request: Request, state: RequestState, *, shown: bool = True) -> Request:
        """The request once it is in this state, and its card says so."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.store.reading() as unit:
                    now = await requests.read(unit, request.id)
                assert now is not None
                if now.state is state and (not shown or now.shown == state):
                    return now
                await asyncio.sleep(0.01)

    async def _ask(self, order: dict[str, Any]) -> str:
        self.orders.append(order)
        return f"{order['words'].replace('restart', 'restarting')}"

    async def _burn(self, request: Request) -> str:
        raise AssertionError("nobody approved that")


class Pressed(Agent):
    """A transport whose interactions go to the cards."""

    presses: Presses

    def named(self, name: str) -> str | None:
        places = self.transport.places().items()
        found = (key.removeprefix("channel:") for key, place in places if place.name == name)
        return next(found, None)

    def _interaction(self, interaction: Any) -> None:
        super()._interaction(interaction)
        task = asyncio.get_running_loop().create_task(self.presses.on_component(interaction))
        task.add_done_callback(lambda done: done.result())


class Someone:
    """A person in #lobby who sees cards and presses them."""

    def __init__(self, client: Client, ear: Socket) -> None:
        self.client, self.ear = client, ear

    @classmethod
    async def come(cls, sandbox: Sandbox, token: str = YOU) -> Someone:
        ear = await sandbox.listening(token)
        lobby = next(c for c in ear.guild["channels"] if c["name"] == "lobby")
        client = Client(sandbox.person(token), ear, sandbox.guild_id, int(lobby["id"]))
        return cls(client, ear)

    async def sees(
        self, fits: Callable[[dict[str, Any]], bool], event: str = "MESSAGE_CREATE"
    ) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.ear.until(event)
                if fits(message):
                    return message

    async def card(self) -> dict[str, Any]:
        """The next new card."""
        return await self.sees(is_card)

    async def edited(self, words: str) -> dict[str, Any]:
        """The card, once it says so."""
        return await self.sees(
            lambda m: is_card(m) and words in m["embeds"][0]["description"], "MESSAGE_UPDATE"
        )

    async def told(self) -> str:
        """What is said to this person alone."""
        return str((await self.sees(lambda m: bool(m["flags"] & 64)))["content"])

    async def press(self, card: dict[str, Any], label: str) -> None:
        await self.client.press(card, button(card, label))


def is_card(message: dict[str, Any]) -> bool:
    return bool(message.get("embeds")) and "footer" in message["embeds"][0]


def button(card: dict[str, Any], label: str) -> str:
    """The custom id of the button called so."""
    row = card["components"][0]["components"]
    return str(next(b["custom_id"] for b in row if b["label"] == label))


__all__ = ["GUEST", "YOU", "Captain", "Someone", "button", "is_card", "question"]
