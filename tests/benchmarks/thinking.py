"""One agent in this process, with everything that stands between a question and a vendor: store,
guard, wallet, prompts, SDK. And the stub of the vendors in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr

from bots.agent.assembly import Answering, Wires, answering
from bots.agent.networks import Events, Networks
from bots.agent.spec import AgentSpec
from bots.answering.matter import InboxClaim
from bots.answering.thinker import Exchanged, Thinker
from bots.cli.project import ROOT
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.keys.holding import NoKey
from bots.keys.signer import Signer
from bots.roster import Roster
from bots.secrets import Redactor
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.leash import leashed
from brain.model import Reader
from brain.models.provider import Kind
from storage import agents, inbox, record
from storage.inbox import Work
from storage.latch import LatchFile
from storage.migrate import upgrade
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import InboxState, LineKind
from tests.benchmarks.swarms import config

AGENT = "bot01"
KEY = "sk-a-key-of-the-benchmarks-that-is-no-key"
REFERENCE = "env:BENCH_KEY"
#: provider → a model of it that has a price
MODELS: dict[Kind, str] = {"anthropic": "claude-sonnet-5", "openai": "gpt-5", "compatible": "qwen3"}
_QUESTION_PRIORITY = 30


def models_toml(anthropic: str, openai: str, keys: str = REFERENCE) -> str:
    """A `[models.PROVIDER]` for each provider, at these addresses."""
    urls = {"anthropic": anthropic, "openai": openai, "compatible": openai}
    return "".join(
        f'[models.{provider}]\nprovider = "{provider}"\nmodel = "{model}"\nkeys = ["{keys}"]\n'
        f'base_url = "{urls[provider]}"\nrequests_per_minute = 1000000\ntools = true\n'
        # As large as the others', or it is shown fewer tools.
        "context_tokens = 128000\n"
        for provider, model in MODELS.items()
    )


def rich(swarm: str) -> str:
    """A swarm.toml in which `AGENT` has a budget that nobody reaches; the swarm needs one too."""
    name = f'name = "{AGENT}"\n'
    return swarm.replace(name, f"{name}budget = {{ usd_per_day = 1000000 }}\n", 1)


@dataclass(frozen=True)
class StubProcess:
    """`python -m tests.vendors`; see `tests.vendors.replies` for what it answers."""

    anthropic: str
    openai: str

    async def bodies(self) -> list[dict[str, Any]]:
        """What the newest requests said, oldest first."""
        where = f"{self.anthropic}/stub/requests"
        async with aiohttp.ClientSession() as http, http.get(where) as response:
            return [asked["body"] for asked in await response.json()]


@asynccontextmanager
async def stub_process() -> AsyncIterator[StubProcess]:
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, "-m", "tests.vendors"]), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        yield StubProcess(told["anthropic"], told["openai"])
    finally:
        process.terminate()
        await process.wait()


class Silent:
    """A reader to whom the pieces do not matter."""

    def piece(self, text: str) -> None: ...

    def anew(self) -> None: ...


@dataclass(frozen=True)
class Agent:
    store: Store
    parts: Answering

    @property
    def thinker(self) -> Thinker:
        return self.parts.answerer.thinker

    async def asked(self, text: str, channel: str = "#lobby") -> Work:
        """A question of a person, recorded, owed and claimed."""
        line = NewLine(
            network="irc",
            channel=channel,
            sender="alice",
            account=None,
            kind=LineKind.SAID,
            text=f"{AGENT}: {text}",
            said_at=utc_now(),
            heard_at=utc_now(),
            heard_by=AGENT,
            msgid=secrets.token_hex(8),
            trace_id=secrets.token_hex(8),
            owed=(Owed(AGENT, f"irc:{channel}", _QUESTION_PRIORITY),),
        )
        async with self.store.writing() as unit:
            await record.keep_new(unit, line)
            [work] = await inbox.waiting(unit, AGENT)
        await self.parts.answerer.claim([work])
        return work

    async def think(self, work: Work, text: str, reader: Reader | None = None) -> Exchanged:
        claim = InboxClaim(self.parts.answerer.store, work, self.parts.answerer.epoch, utc_now)
        return await self.thinker.think(work, text, claim, reader or Silent())

    async def finish(self, work: Work, exchanged: Exchanged | None) -> None:
        """What is done after an answer was said; without an exchange the session stays as it is."""
        await self.parts.answerer.settle([work], InboxState.ANSWERED, exchanged=exchanged)
        if exchanged is not None:
            await self.thinker.tidy(work)


@asynccontextmanager
async def agent(folder: Path, stub: StubProcess, provider: str) -> AsyncIterator[Agent]:
    """One of eight agents, on a store of its own; it thinks with this provider, speaks to nobody,
    and has no budget.
    """
    settings = Settings.model_validate(tomllib.loads(_swarm(stub, provider)))
    folder.mkdir()
    state = StateFolder(folder / "state")
    state.create()
    LatchFile(state.latch).create()
    url = f"sqlite:///{folder / 'parley.sqlite'}"
    store = Store(url, connections=2)
    await upgrade(store, folder / "upgrade.lock")
    async with store.writing() as unit:
        for one in settings.agents:
            await agents.enrol(unit, one.name, one.role, utc_now())
    spec = AgentSpec(
        name=AGENT,
        epoch=1,
        settings=settings,
        state_folder=folder / "state",
        prompts_folder=ROOT / "prompts",
        database_url=url,
        nats_url="",
        nats_password=SecretStr(""),
        irc_host="127.0.0.1",
        irc_port=0,
        model_keys={REFERENCE: SecretStr(KEY)},
        control_token=SecretStr("not-used"),
        operator_key="",
    )
    made = Agent(store, _parts(spec, state, store))
    try:
        yield made
    finally:
        await made.parts.mind.close()
        await store.close()


def _swarm(stub: StubProcess, provider: str) -> str:
    tables = models_toml(stub.anthropic, stub.openai)
    tables += f'[defaults]\nbrain = "{provider}"\n[budget]\nusd_per_day = 1000000\n'
    return tables + rich(config(8))


def _parts(spec: AgentSpec, state: StateFolder, store: Store) -> Answering:
    log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))
    switch = KillSwitch(
        spec.name, LatchFile(state.latch), clock=utc_now, tell=lambda _: None, log=log
    )
    events = Events(
        heard=lambda _: None,
        changed=lambda *_: None,
        before_join=_nobody_waits,
        began=lambda _: None,
        interaction=lambda _: None,
        veto=switch.veto,
    )
    return answering(
        spec,
        store,
        transports=Networks(spec, state, events, log).transports,
        roster=Roster(spec.settings),
        switch=switch,
        wires=Wires(
            ask=_no_supervisor,
            own_state=lambda: "ready, idle",
            end_work=lambda *_: False,
            nudge=lambda _: None,
            signer=_no_key,
            publish=lambda *_: None,
        ),
        redactor=Redactor(spec.secrets()),
        log=log,
    )


async def _nobody_waits(network: str, channel: str) -> None:
    return None


def _no_key() -> Signer:
    raise NoKey("it hands over nothing")


async def _no_supervisor(wish: dict[str, Any]) -> str:
    return f"nobody does {wish}"
