"""The fork server loads what some configured agent uses, and nothing else."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bots.settings import Settings, load
from bots.state import StateFolder
from bots.supervisor import brains
from bots.supervisor.ground import Ground
from bots.supervisor.identities import Identities

ROOT = Path(__file__).parents[3]
MODELS = """
[models.claude]
provider = "anthropic"
model = "claude-sonnet-4-5"
keys = ["env:ANTHROPIC_API_KEY"]
[models.gpt]
provider = "openai"
model = "gpt-5-mini"
keys = ["env:OPENAI_API_KEY"]
[models.ollama]
provider = "compatible"
model = "qwen3:8b"
base_url = "http://127.0.0.1:11434/v1"
[models.small]
provider = "local"
"""
SDKS = {"anthropic", "openai", "genai_prices", "mcp", "xllamacpp"}
_LOAD = "import sys, threading; from bots.supervisor.forkserver import load; "
_TELL = "; print(threading.active_count(), *sorted(sys.modules))"


#: one streamed answer, as an agent gets it; tells KiB that it cost, and what was imported for it
_FIRST = """
import asyncio, sys, threading
from bots.supervisor.forkserver import load
for name in {modules!r}: load(name)
print(threading.active_count(), *sorted({{"anthropic", "openai", "mcp"}} & set(sys.modules)))
from brain.model import Conversation, Message, Role
from brain.models import {adapter} as adapter
from brain.models.provider import Key, ModelSpec
from tests.vendors.script import Call, Say, Script
from tests.vendors.server import serving

class Reader:
    def piece(self, text): pass
    def anew(self): pass

def rss_kib():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1])

async def main():
    said = Say("Hello.", (Call("look"),))
    provider = "anthropic" if "{adapter}" == "anthropic" else "openai"
    async with serving(Script(choose=lambda asked: said)) as stub:
        url = stub.url if provider == "anthropic" else stub.openai_url
        spec = ModelSpec(name="m", provider=provider, model="claude-x", base_url=url)
        asked = Conversation(system="s", messages=(Message(role=Role.USER, text="hi"),))
        before, there = rss_kib(), set(sys.modules)
        model = adapter.connect(spec)
        answer = await model.complete(asked, Key(name="k", value="key"), Reader())
        assert answer.text == "Hello.", answer
        more = sorted(n for n in set(sys.modules) - there if n.split(".")[0] not in {{"tests"}})
        print(rss_kib() - before, *more)
        await model.close()

asyncio.run(main())
"""


def settings(folder: Path, *agents: str, files: str = "") -> Settings:
    """Agents with these lines beside their names, and every kind of model."""
    path = folder / "swarm.toml"
    tables = [
        f'[[agents]]\nname = "a{number}"\nrole = "r"\n{line}\n'
        for number, line in enumerate(agents)
    ]
    path.write_text(MODELS + files + "".join(tables))
    return load(path)


def preload(folder: Path, *agents: str, files: str = "") -> list[str]:
    found = settings(folder, *agents, files=files)
    state = StateFolder(folder / "state")
    state.create()
    identities = Identities.make([a.name for a in found.agents], found, state)
    log = structlog.get_logger()
    return Ground(found, state, identities, guests=0, rng=random.Random(1), log=log).preload


def loaded(modules: list[str]) -> tuple[int, set[str]]:
    """Threads, and packages, of a fresh fork server that was told to load `modules`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{_LOAD}[load(m) for m in {modules!r}]{_TELL}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    threads, *names = done.stdout.split()
    return int(threads), set(names)


def test_a_swarm_that_only_has_models_in_its_file_loads_no_adapter(tmp_path: Path) -> None:
    modules = preload(tmp_path, "", 'brain = "offline"')
    assert [m for m in modules if m.startswith("brain")] == []
    threads, names = loaded(modules)
    assert threads == 1
    assert not SDKS & names


@pytest.mark.parametrize(
    ("line", "adapter"),
    [
        ('brain = "claude"', "brain.models.anthropic"),
        ('fallback = ["claude"]', "brain.models.anthropic"),
        ('brain = "gpt"', "brain.models.responses"),
        ('brain = "ollama"', "brain.models.chat"),
        ('brain = "small"', "brain.models.local"),
    ],
)
def test_an_adapter_is_loaded_when_an_agent_uses_its_provider(
    tmp_path: Path, line: str, adapter: str
) -> None:
    modules = preload(tmp_path, "", line)
    named = [m for m in modules if m.startswith("brain.models.") and ":" not in m]
    assert named == [adapter]


def test_each_adapter_is_loaded_once_in_the_order_of_the_agents(tmp_path: Path) -> None:
    both = 'brain = "gpt"\nfallback = ["claude", "offline"]'
    found = brains.preload(settings(tmp_path, both, both, 'brain = "claude"'))
    assert found == [
        "bots.agent.language",
        "brain.models.responses",
        "brain.models.warming.responses:warm",
        "brain.models.anthropic",
        "brain.models.warming.anthropic:warm",
        "brain.wallet.known_prices",
        "httpcore2",
        "anyio._backends._asyncio",
    ]


def test_the_library_of_mcp_is_loaded_where_a_thinking_agent_uses_a_server(tmp_path: Path) -> None:
    more = 'mcp = ["files"]'
    files = '[mcp.files]\ncommand = ["files-mcp"]\n'
    assert not [m for m in preload(tmp_path, 'brain = "ollama"', files=files) if "mcp" in m]
    offline = f'{more}\nfallback = ["offline"]'
    assert not [m for m in preload(tmp_path, offline, 'brain = "gpt"', files=files) if "mcp" in m]
    modules = preload(tmp_path, f'brain = "ollama"\n{more}', files=files)
    assert [m for m in modules if "mcp" in m] == ["brain.tools.mcp", "brain.tools.mcp_connection"]
    threads, names = loaded(modules)
    assert threads == 1
    assert "mcp" in names


def test_list_prices_are_loaded_where_they_are_looked_up(tmp_path: Path) -> None:
    assert "brain.wallet.known_prices" not in preload(tmp_path, 'brain = "ollama"')
    assert "brain.wallet.known_prices" in preload(tmp_path, 'brain = "gpt"')


@pytest.mark.parametrize(
    ("line", "adapter", "sdk"),
    [
        ('brain = "claude"', "anthropic", "anthropic"),
        ('brain = "gpt"', "responses", "openai"),
        ('brain = "ollama"', "chat", "openai"),
    ],
)
def test_an_agents_first_request_has_nothing_left_to_load(
    tmp_path: Path, line: str, adapter: str, sdk: str
) -> None:
    """What each process would load for itself it would keep for itself."""
    first = _FIRST.format(modules=preload(tmp_path, line), adapter=adapter)
    done = subprocess.run(
        [sys.executable, "-c", first], cwd=ROOT, capture_output=True, text=True, check=True
    )
    threads, *sdks = done.stdout.splitlines()[0].split()
    assert threads == "1", "a fork carries one thread over"
    assert sdks == [sdk], "and nobody pays for another provider's"
    kept_kib, *imported = done.stdout.splitlines()[1].split()
    assert imported == []
    assert int(kept_kib) < 4096, "OpenAI's types of answers alone are 20 MiB"
