"""A crew of agents in one process: real desks, hands, keys and rows; on no network."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from bots.agent.assembly import Answering, Wires, answering
from bots.agent.delegation import hands
from bots.agent.spec import AgentSpec
from bots.bus import permissions
from bots.cli.project import ROOT
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.delegating.authority import receivers_of
from bots.delegating.desk import DelegationDesk
from bots.delegating.order import Order
from bots.delegating.worker import Worker
from bots.keys.holding import AgentKeys
from bots.keys.signer import new_id, new_pair
from bots.roster import Roster
from bots.secrets import Redactor
from bots.settings import Settings
from bots.state import StateFolder
from brain.model import Completion, Model
from brain.models.scripted import Scripted
from brain.tools.registry import AnyTool
from storage import agents, keys
from storage.delegation_tables import Delegation
from storage.key_life import OVERLAP
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.latch import LatchFile
from storage.store import Store
from storage.tables import AgentState

SPECIALISTS = ["secretary", "harvester", "buyer"]
SETTINGS: dict[str, Any] = {
    "agents": [
        {
            "name": "captain",
            "role": "captain",
            "capabilities": ["decide"],
            "may_delegate_to": ["all"],
        },
        {
            "name": "tech-lead",
            "role": "tech-lead",
            "capabilities": ["plan", "review"],
            "may_delegate_to": SPECIALISTS,
        },
        *(
            {
                "name": name,
                "role": name,
                "capabilities": [capability],
                "channels": ["#reports"] if name == "secretary" else [],
                "may_delegate_to": ["captain", "tech-lead"],
            }
            for name, capability in zip(SPECIALISTS, ("summarise", "monitor", "buy"), strict=True)
        ),
    ],
    "channels": [{"name": "#reports"}],
}


@dataclass
class Clerk:
    """One agent of the crew."""

    name: str
    spec: AgentSpec
    desk: DelegationDesk
    hands: Worker
    keys: AgentKeys
    parts: Answering
    running: asyncio.Task[None] | None = None

    def starts(self) -> None:
        self.running = asyncio.create_task(self.hands.run())

    async def ends(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None


@dataclass
class Office:
    store: Store
    state: StateFolder
    settings: Settings
    crew: dict[str, Clerk] = field(default_factory=dict)
    #: subjects that were published against the bus's permissions
    forbidden: list[str] = field(default_factory=list)
    #: what is listened for on the bus besides what a desk hears, by subject
    listens: dict[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)
    #: bot's user id → agent
    on_discord: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Clerk:
        return self.crew[name]

    async def give(self, by: str, to: str, instruction: str = "do it", **more: Any) -> Delegation:
        """As a person at the door of `by`."""
        order = Order(to=to, instruction=instruction, **({"asked_by": "shell"} | more))
        return await self[by].desk.give(order)

    async def ended(self, by: str, delegation: Delegation, wait_s: float = 20) -> Delegation:
        return await self[by].desk.wait(delegation.code, wait_s)

    async def hire(
        self,
        name: str,
        model: Model | None = None,
        tools: Sequence[AnyTool] = (),
        *,
        works: bool = True,
    ) -> Clerk:
        """A new process of this agent, so to say; the one before it is gone."""
        if name in self.crew:
            await self.crew[name].ends()

        async def birth(unit: Any) -> int:
            epoch = await agents.take(unit, name, "test", now=utc_now(), ttl_s=3600)
            await agents.report(unit, name, epoch, now=utc_now(), state=AgentState.READY)
            return epoch

        epoch = await self.store.write(birth)
        clerk = self.crew[name] = self._clerk(name, epoch, model or says(f"{name} did it"), tools)
        await self._given_a_key(clerk)
        if works:
            clerk.starts()
        return clerk

    def publish(self, by: str, subject: str, body: Mapping[str, Any]) -> None:
        """The bus: what its credentials do not allow `by` is dropped."""
        allowed = permissions(by, receivers_of(self.settings)[by])["publish"]
        if not any(subject == a or (a[-1] == ">" and subject.startswith(a[:-1])) for a in allowed):
            self.forbidden.append(subject)
            return
        for clerk in self.crew.values():
            handler = clerk.desk.bells.subscriptions().get(subject)
            if handler is not None:
                handler(dict(body))
        for pattern, handler in self.listens.items():
            if _is_of(subject, pattern):
                handler(dict(body))

    def _clerk(self, name: str, epoch: int, model: Model, tools: Sequence[AnyTool]) -> Clerk:
        spec = self._spec(name, epoch)
        log = structlog.get_logger()
        switch = KillSwitch(
            name, LatchFile(self.state.latch), clock=utc_now, tell=lambda _: None, log=log
        )
        signs = AgentKeys(lambda _: None)
        parts = answering(
            spec,
            self.store,
            transports={},
            roster=Roster(spec.settings),
            switch=switch,
            wires=Wires(
                ask=_nobody,
                own_state=lambda: "ready, idle",
                end_work=lambda *_: False,
                nudge=lambda _: None,
                signer=lambda: signs.signer,
                publish=lambda subject, body: self.publish(name, subject, body),
            ),
            redactor=Redactor(spec.secrets()),
            log=log,
        )

        async def given() -> Sequence[AnyTool]:
            return tools

        thinker = dataclasses.replace(parts.answerer.thinker, model=model, tools=given)
        mouth = parts.answerer.replying.mouth
        works = hands(
            spec,
            parts.giving,
            people=parts.people,
            thinker=thinker,
            mouth=mouth,
            switch=switch,
            in_words=parts.mind.minutes,
            log=log,
        )
        return Clerk(name, spec, parts.giving, works, signs, parts)

    def _spec(self, name: str, epoch: int) -> AgentSpec:
        return AgentSpec(
            name=name,
            epoch=epoch,
            settings=self.settings,
            state_folder=self.state.path,
            prompts_folder=ROOT / "prompts",
            database_url="",
            nats_url="",
            nats_password=SecretStr(""),
            irc_host="127.0.0.1",
            irc_port=0,
            discord_agents=self.on_discord,
            control_token=SecretStr("not-used"),
            operator_key="",
        )

    async def _given_a_key(self, clerk: Clerk) -> None:
        public, private = new_pair()
        new = keys.NewKey(
            key_id=new_id(clerk.name),
            owner=clerk.name,
            kind=KeyKind.AGENT,
            alg=KeyAlgorithm.ED25519,
            public=public,
            sealed="not-sealed-here",
            master="test",
            expires_at=utc_now() + timedelta(days=90),
        )
        await self.store.write(
            lambda unit: keys.add(unit, new, by="test", now=utc_now(), overlap=OVERLAP)
        )
        clerk.keys.sign_with(new.key_id, private)


@asynccontextmanager
async def office(
    store: Store,
    folder: Path,
    hire: Sequence[str] = ("captain", "tech-lead", *SPECIALISTS),
    *,
    more: Mapping[str, Any] | None = None,
    on_discord: Mapping[str, str] | None = None,
) -> AsyncIterator[Office]:
    """The crew at work on this store; `more` is added to its settings."""
    state = StateFolder(folder / "state")
    state.create()
    LatchFile(state.latch).create()
    settings = Settings.model_validate(SETTINGS | dict(more or {}))
    async with store.writing() as unit:
        for agent in settings.agents:
            await agents.enrol(unit, agent.name, agent.role, utc_now())
    made = Office(store, state, settings, on_discord=dict(on_discord or {}))
    for name in hire:
        await made.hire(name)
    try:
        yield made
    finally:
        for clerk in made.crew.values():
            await clerk.ends()


def _is_of(subject: str, pattern: str) -> bool:
    """As NATS has it: `*` is any one word, `>` all that follow."""
    words, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(words) <= len(wanted):
            return False
        words = words[: len(wanted)]
    pairs = zip(words, wanted, strict=False)
    return len(words) == len(wanted) and all(b in {"*", a} for a, b in pairs)


def says(text: str) -> Scripted:
    """A model that has one answer."""
    return Scripted([Completion(text=text)])


async def _nobody(wish: dict[str, Any]) -> str:
    return f"nobody does {wish}"
