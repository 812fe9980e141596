"""A key that is refused is read anew by the supervisor, for an agent that may have it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from bots.agent.mind import mind_of
from bots.agent.renewal import Supervised
from bots.clock import utc_now
from bots.control.door import Unavailable
from bots.control.operators import Operators
from bots.secrets import HIDDEN, Redactor
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.births import Births, model_key
from bots.supervisor.identities import Identities
from bots.supervisor.latching import Latching
from bots.supervisor.orders import Orders
from bots.swarm_settings import OperatorSettings
from storage.latch import LatchFile
from storage.store import Store
from tests.integration.working.minds import ROOT, asked, body, models, settings, spec
from tests.schema import give_schema
from tests.vendors.script import Say, Script
from tests.vendors.server import Stub, serving


@dataclass
class Pipe:
    """A child's end of the pipe, as far as keys go."""

    name: str
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


class Swarm:
    """Orders over these settings, and the pipes of their agents."""

    def __init__(self, folder: Path, found: Settings) -> None:
        self.pipes = {agent.name: Pipe(agent.name) for agent in found.agents}
        children: Any = self.pipes
        ground: Any = SimpleNamespace(store=None)
        file = LatchFile(folder / "latch.json")
        file.create()
        latching = Latching(
            file, ground, children, bus=lambda: None, clock=utc_now, log=structlog.get_logger()
        )
        self.orders = Orders(
            latching,
            children,
            Operators(OperatorSettings(), "parley", "", utc_now),
            clock=utc_now,
            stop=lambda: None,
            status=dict,
            first_use=_first,
            key_of=partial(model_key, found),
        )

    async def ask(self, wish: dict[str, Any], agent: str = "captain") -> str:
        """As `bots.agent.supervision.Supervision.ask`."""
        pipe: Any = self.pipes[agent]
        await self.orders.asked(pipe, wish | {"id": 7})
        answer = self.pipes[agent].sent.pop()
        assert answer["answer"] == 7
        assert answer["ok"] is bool(answer["text"])
        return str(answer["text"])

    async def key(self, agent: str, reference: str) -> str:
        return await self.ask({"please": "key", "reference": reference}, agent)


async def _first(_signed: object) -> bool:
    return True


def secret(path: Path, value: str) -> str:
    """A file that is closed to others, with this in it; its reference."""
    path.write_text(value)
    path.chmod(0o600)
    return f"file:{path}"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    names = ("captains", "rooks", "bot-token", "mcp")
    return {name: secret(tmp_path / name, f"the-{name}-value") for name in names}


@pytest.fixture
def found(files: dict[str, str]) -> Settings:
    return _settings(files)


def _settings(files: dict[str, str], stub: Stub | None = None) -> Settings:
    urls = (stub.url, stub.openai_url) if stub else ("", "")
    kinds = models(*urls)
    kinds["claude"]["keys"] = [files["captains"]]
    kinds["gpt"]["keys"] = [files["rooks"]]
    captain = {
        "brain": "claude",
        "fallback": ["offline"],
        "mcp": ["odd"],
        "discord": {"token": files["bot-token"]},
    }
    odd = {"command": ["odd"], "secrets": {"TOKEN": files["mcp"]}}
    return settings(captain, models=kinds, mcp={"odd": odd})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()


async def test_an_agent_gets_the_keys_of_its_own_models_as_they_are_now(
    tmp_path: Path, found: Settings, files: dict[str, str]
) -> None:
    swarm = Swarm(tmp_path, found)
    assert await swarm.key("captain", files["captains"]) == "the-captains-value"
    secret(tmp_path / "captains", "mended")
    assert await swarm.key("captain", files["captains"]) == "mended"
    assert await swarm.key("rook", files["rooks"]) == "the-rooks-value"


@pytest.mark.parametrize("agent", ["captain", "rook"])
async def test_and_no_other_secret(
    tmp_path: Path, found: Settings, files: dict[str, str], agent: str
) -> None:
    swarm = Swarm(tmp_path, found)
    own = "captains" if agent == "captain" else "rooks"
    elsewhere = [reference for name, reference in files.items() if name != own]
    for reference in [
        *elsewhere,
        "",
        "file:/etc/hostname",
        "env:PATH",
        "keyring:x",
        files[own][5:],
    ]:
        assert await swarm.key(agent, reference) == "", reference


async def test_a_key_that_is_gone_is_none_and_why_stays_with_the_supervisor(
    tmp_path: Path, found: Settings, files: dict[str, str]
) -> None:
    (tmp_path / "captains").unlink()
    swarm = Swarm(tmp_path, found)
    login = Supervised(swarm.ask, lambda _: None)
    assert await login.read(files["captains"]) is None


async def test_a_supervisor_that_is_away_gives_none() -> None:
    async def away(_wish: dict[str, Any]) -> str:
        raise Unavailable("the supervisor does not answer")

    assert await Supervised(away, lambda _: None).read("env:ONE") is None


async def test_each_agent_is_born_with_its_own_secrets_alone(
    tmp_path: Path, found: Settings
) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    guild = SimpleNamespace(
        tokens={}, operator_roles=(), api="", gateway="", id="", agents={"1": "captain"}
    )
    ground: Any = SimpleNamespace(
        guild=guild, database_url="", nats_url="", irc_host="", irc_port=0, local_api=""
    )
    identities = Identities.make(["captain", "rook"], found, state)
    births = Births(found, state, ROOT / "prompts", identities, ground)
    captain, rook = str(births.spec("captain", 1)), str(births.spec("rook", 1))
    for value in ("the-captains-value", "the-mcp-value", "the-bot-token-value"):
        assert value in captain
        assert value not in rook
    assert "the-rooks-value" in rook
    assert "the-rooks-value" not in captain


async def test_a_refused_key_that_somebody_mended_is_used_and_hidden(
    tmp_path: Path, store: Store, files: dict[str, str]
) -> None:
    async with serving(Script(Say("It hums."), keys={"mended-by-a-person"})) as stub:
        found = _settings(files, stub)
        keys = {files["captains"]: SecretStr("the-captains-value")}
        born = spec(tmp_path, found, model_keys=keys)
        redactor = Redactor(born.secrets())
        one = mind_of(body(born, store, ask=Swarm(tmp_path, found).ask, redactor=redactor))
        secret(tmp_path / "captains", "mended-by-a-person")
        assert redactor.redact("mended-by-a-person") == "mended-by-a-person"
        answer = await one.model.query(asked())
        assert (answer.text, answer.notes) == ("It hums.", ())
        assert [request.key for request in stub.script.requests] == [
            "the-captains-value",
            "mended-by-a-person",
        ]
        assert redactor.redact("it is mended-by-a-person") == f"it is {HIDDEN}"
        await one.close()


async def test_a_refused_key_that_nobody_mended_is_told(
    tmp_path: Path, store: Store, files: dict[str, str]
) -> None:
    async with serving(Script(keys={"another"})) as stub:
        found = _settings(files, stub)
        keys = {files["captains"]: SecretStr("the-captains-value")}
        born = spec(tmp_path, found, model_keys=keys)
        one = mind_of(body(born, store, ask=Swarm(tmp_path, found).ask))
        answer = await one.model.query(asked())
        assert answer.label == "offline brain"
        assert "login refused" in answer.notes[0]
        assert "the-captains-value" not in str(answer)
        await one.close()
