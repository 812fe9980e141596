"""An agent's door on loopback, with real keys and real rows; the engine behind it only adds rows,
and ends them when the test says so.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import rfc8785
import structlog
from pydantic import SecretStr

from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.door import Body
from bots.delegating.order import (
    AUTO,
    Killed,
    NobodyOfThatName,
    NotAllowed,
    NotGiven,
    Order,
    Reused,
)
from bots.delegating.waiting import is_settled
from bots.hooks.door import HookDoor
from bots.hooks.making import hook_room
from bots.hooks.receiving import First
from bots.hooks.room import HookRoom
from bots.keys.signer import Signer, new_id, new_pair, new_secret
from bots.secrets import Redactor
from bots.settings import Settings
from brain.delegation.authority import Authority
from storage import audit, delegating, delegations, keys
from storage.core import AUDIT
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.delegations import NewDelegation
from storage.key_life import OVERLAP
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import NewKey
from storage.latch import Latch
from storage.migrate import upgrade
from storage.store import Store
from storage.unit import Unit
from tests.hmac_sender import HmacSender

TOKEN = "the-hook-token-of-the-test"
CONTROL = "the-control-token-of-the-test"
SETTINGS: dict[str, Any] = {
    "agents": [
        {"name": "captain", "role": "captain", "may_delegate_to": ["all"]},
        {"name": "researcher", "role": "specialist", "may_delegate_to": ["captain", "auditor"]},
        {"name": "auditor", "role": "specialist"},
    ],
    "hooks": {
        "per_minute": 6_000,
        "burst": 6_000,
        "senders": {
            "cron": {"may_delegate_to": ["captain"]},
            "release": {"may_delegate_to": ["captain", "researcher"]},
            "github": {"may_delegate_to": ["all"]},
            "stranger": {"may_delegate_to": ["auditor"]},
        },
    },
}


@dataclass
class RowDesk:
    """Adds real rows, and gives what the store has."""

    store: Store
    agent: str
    known: set[str]
    #: refused by name, as the engine would
    forbidden: set[str] = field(default_factory=set)
    killed_by: str = ""
    #: the work is done as soon as it is given
    quick: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    #: a wait has begun
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    waited_for: set[str] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)

    async def give(self, order: Order, first: First | None = None) -> Delegation:
        try:
            return await self._given(order, first)
        except NotGiven:
            if first is not None:
                await self.store.write(first)
            raise

    async def _given(self, order: Order, first: First | None) -> Delegation:
        if order.to not in self.known:
            raise NobodyOfThatName(f"there is no agent {order.to!r}")
        if self.killed_by:
            raise Killed(f"{order.to} is killed by {self.killed_by}")
        if order.to in self.forbidden:
            raise NotAllowed(f"{self.agent} may not give work to {order.to}")
        new = self._new(order)

        async def add(unit: Unit) -> tuple[Delegation, bool]:
            if first is not None:
                await first(unit)
            return await delegations.add(unit, new)

        row, is_new = await self.store.write(add)
        self.orders.append(order)
        if not is_new and row.instruction != order.instruction:
            raise Reused(f"the key {order.idempotency_key!r} was used for something else")
        if is_new and self.quick:
            await self.finish(row.code, "done")
            await self.deliver(row.code, "M-1", "msgid")
        return await self.read(row.code) or row

    async def wait(self, code: str, wait_s: float) -> Delegation:
        self.waited_for.add(code)
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    found = await self.read(code)
                    assert found is not None
                    if is_settled(found):
                        return found
                    self.changed.clear()
                    self.waits.set()
                    await self.changed.wait()
        except TimeoutError:
            found = await self.read(code)
            assert found is not None
            return found

    async def read(self, code: str) -> Delegation | None:
        return await self.store.read(lambda unit: delegations.by_code(unit, code))

    async def cancel(self, code: str, by: str, why: str) -> Delegation | None:
        found = await self.read(code)
        if found is not None:
            reason = f"cancelled by {by}: {why}"
            await self.store.write(lambda unit: delegating.cancel(unit, found, reason, utc_now()))
            self.changed.set()
        return await self.read(code)

    async def finish(self, code: str, result: str = "", error: str = "") -> None:
        """As the worker of the agent would."""
        found = await self.read(code)
        assert found is not None
        assert found.id is not None
        number = found.id
        held = await self.store.write(
            lambda unit: delegating.claim(unit, number, found.agent, 1, utc_now())
        )
        assert held is not None
        state = DelegationState.FAILED if error else DelegationState.DONE
        outcome = Outcome(state=state, result=result, error=error, deliver_by=found.agent)
        assert await self.store.write(
            lambda unit: delegating.finish(unit, held, outcome, utc_now())
        )
        self.changed.set()

    async def deliver(self, code: str, message_id: str, proof: str) -> None:
        """As who says it would."""
        found = await self.read(code)
        assert found is not None
        number = found.id or 0
        await self.store.write(
            lambda unit: delegations.delivered(unit, number, Deliver.SENT, message_id, proof)
        )
        self.changed.set()

    def _new(self, order: Order) -> NewDelegation:
        now = utc_now()
        return NewDelegation(
            code=f"D-{secrets.token_hex(4)}",
            kind=order.kind,
            sender=self.agent,
            agent=order.to,
            instruction=order.instruction,
            chain=(),
            issued_at=now,
            expires_at=now + order.deadline,
            asked_by=order.asked_by,
            idempotency_key=order.idempotency_key,
            priority=order.priority,
            tries=order.tries,
            deliver_to=order.deliver_to,
            trace_id=order.trace_id,
        )


@dataclass
class Stage:
    store: Store
    desk: RowDesk
    spec: AgentSpec
    #: key id → HMAC secret that the agent holds
    held: dict[str, SecretStr]
    room: HookRoom
    door: HookDoor
    http: aiohttp.ClientSession
    #: agent → kill that holds it
    latched: dict[str, Latch]
    signers: dict[str, Signer | HmacSender] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def post(
        self, path: str, body: Any = None, *, token: str | None = TOKEN, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON; `headers` with ``_`` for ``-``."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self.http.post(f"{self.url}{path}", data=raw, headers=sent) as response:
            return response.status, await response.json()

    async def get(self, path: str, *, token: str | None = TOKEN) -> tuple[int, dict[str, Any]]:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.get(f"{self.url}{path}", headers=sent) as response:
            return response.status, await response.json()

    async def signer(self, owner: str) -> Signer | HmacSender:
        """A key of this agent or sender, made and stored at the first call."""
        if owner not in self.signers:
            self.signers[owner] = await self.new_signer(owner)
        return self.signers[owner]

    async def new_signer(self, owner: str) -> Signer | HmacSender:
        is_agent = owner in {a.name for a in self.spec.settings.agents}
        public, secret = new_pair() if is_agent else ("", new_secret())
        alg = KeyAlgorithm.ED25519 if is_agent else KeyAlgorithm.HMAC_SHA256
        key = NewKey(
            key_id=new_id(owner),
            owner=owner,
            kind=KeyKind.AGENT if is_agent else KeyKind.SENDER,
            alg=alg,
            public=public,
            sealed="sealed",
            master="master",
            expires_at=utc_now() + timedelta(days=90),
        )
        await self.store.write(
            lambda unit: keys.add(unit, key, by="the test", now=utc_now(), overlap=OVERLAP)
        )
        if is_agent:
            return Signer(key.key_id, secret)
        self.held[key.key_id] = secret
        return HmacSender(key.key_id, secret)

    async def envelope(self, sender: str, body: Any, **changes: Any) -> dict[str, Any]:
        """Signed by `sender`'s key, with the `changes` in it."""
        return signed(await self.signer(sender), sender, body, **changes)

    async def refusals(self) -> list[dict[str, Any]]:
        """Audit entries of refused hooks, oldest first, with their details."""
        async with self.store.reading() as unit:
            rows = await unit.execute(AUDIT.select().where(AUDIT.c.verb == "refused"))
            entries = [dict(row) for row in rows.mappings()]
            assert await audit.verify(unit, self.spec.name) is None
        return [{**entry, **json.loads(entry["details"])} for entry in entries]


def signed(signer: Signer | HmacSender, sender: str, body: Any, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    is_agent = isinstance(signer, Signer)
    envelope = {
        "id": secrets.token_hex(8),
        "kind": "task",
        "from": sender,
        "to": "captain",
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(seconds=60)).isoformat(),
        "nonce": secrets.token_hex(16),
        "hops": 0,
        "reply_to": "",
        "body": body,
        "alg": str(KeyAlgorithm.ED25519 if is_agent else KeyAlgorithm.HMAC_SHA256),
        "key_id": signer.key_id,
    }
    envelope |= {name.rstrip("_"): value for name, value in changes.items()}
    return {**envelope, "signature": signer.sign(rfc8785.dumps(envelope))}


@asynccontextmanager
async def staged(folder: Path, **hooks: Any) -> AsyncIterator[Stage]:
    """The captain's door; `hooks` change its settings."""
    store = await Store.open(f"sqlite:///{folder / 'parley.sqlite'}")
    await upgrade(store, folder / "upgrade.lock")
    spec = spec_of(folder, str(store.url), hooks)
    desk = RowDesk(store, spec.name, {AUTO, *(a.name for a in spec.settings.agents)})
    redactor, log = Redactor(spec.secrets()), structlog.get_logger()
    secrets_held: dict[str, SecretStr] = {}
    latched: dict[str, Latch] = {}
    room = hook_room(
        spec,
        store=store,
        desk=desk,
        secret_of=secrets_held.get,
        authority=authority_of(spec.settings),
        redactor=redactor,
        latch=latched.get,
        log=log,
    )
    door = HookDoor(
        room,
        spec.settings.hooks,
        token=CONTROL,
        health=_health,
        steering={("POST", "/control/kill"): _kill},
    )
    async with aiohttp.ClientSession() as http:
        try:
            await door.open()
            yield Stage(store, desk, spec, secrets_held, room, door, http, latched)
        finally:
            await door.close()
            await store.close()


def authority_of(settings: Settings) -> Authority:
    allowed = {agent.name: agent.may_delegate_to for agent in settings.agents}
    return Authority(allowed, settings.limits.max_hops)


def spec_of(folder: Path, database_url: str, hooks: dict[str, Any]) -> AgentSpec:
    raw = {**SETTINGS, "hooks": {**SETTINGS["hooks"], **hooks}}
    return AgentSpec(
        name="captain",
        epoch=1,
        settings=Settings.model_validate(raw),
        state_folder=folder,
        prompts_folder=folder,
        database_url=database_url,
        nats_url="",
        nats_password=SecretStr(""),
        irc_host="",
        irc_port=0,
        operator_key="",
        control_token=SecretStr(CONTROL),
        hook_token=SecretStr(TOKEN),
    )


async def _kill(body: Body) -> Body:
    return {"killed": True}


def _health() -> Body:
    return {"state": "ready", "reason": "", "nick": "captain"}
