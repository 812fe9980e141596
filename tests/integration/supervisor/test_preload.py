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
#: what the fork server itself has loaded before it looks at its list
_FORK_SERVER = (
    "import sys, threading, bots.supervisor.forkserver; from importlib import import_module; "
)
_TELL = "print(threading.active_count(), *sorted(sys.modules))"


def settings(folder: Path, *agents: str) -> Settings:
    """Agents with these lines beside their names, and every kind of model."""
    path = folder / "swarm.toml"
    tables = [
        f'[[agents]]\nname = "a{number}"\nrole = "r"\n{line}\n'
        for number, line in enumerate(agents)
    ]
    path.write_text(MODELS + "".join(tables))
    return load(path)


def preload(folder: Path, *agents: str) -> list[str]:
    found = settings(folder, *agents)
    state = StateFolder(folder / "state")
    state.create()
    identities = Identities.make([a.name for a in found.agents], found, state)
    log = structlog.get_logger()
    return Ground(found, state, identities, guests=0, rng=random.Random(1), log=log).preload


def loaded(modules: list[str]) -> tuple[int, set[str]]:
    """Threads, and packages, of a fresh fork server that was told to load `modules`."""
    load_them = f"[import_module(m) for m in {modules!r}]; "
    done = subprocess.run(
        [sys.executable, "-c", _FORK_SERVER + load_them + _TELL],
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
    ("line", "adapter", "sdks"),
    [
        ('brain = "claude"', "brain.models.anthropic", {"anthropic"}),
        ('fallback = ["claude"]', "brain.models.anthropic", {"anthropic"}),
        ('brain = "gpt"', "brain.models.responses", {"openai"}),
        ('brain = "ollama"', "brain.models.chat", {"openai"}),
        ('brain = "small"', "brain.models.local", {"openai"}),
    ],
)
def test_an_adapter_is_loaded_when_an_agent_uses_its_provider(
    tmp_path: Path, line: str, adapter: str, sdks: set[str]
) -> None:
    modules = preload(tmp_path, "", line)
    assert [m for m in modules if m.startswith("brain.models.")] == [adapter]
    threads, names = loaded(modules)
    assert threads == 1, "a fork carries one thread over"
    assert names & {"anthropic", "openai", "xllamacpp"} == sdks


def test_each_adapter_is_loaded_once_in_the_order_of_the_agents(tmp_path: Path) -> None:
    both = 'brain = "gpt"\nfallback = ["claude", "offline"]'
    found = brains.adapters(settings(tmp_path, both, both, 'brain = "claude"'))
    assert found == ["brain.models.responses", "brain.models.anthropic"]
