"""`run.py workflow` says what there is, begins and ends runs, and draws them; swarm up or down."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bots.cli.app import main
from bots.state import StateFolder
from storage.core import WORKFLOW_RUN, run
from storage.store import Store
from tests.schema import give_schema

SWARM = """\
[[agents]]
name = "captain"
role = "captain"
may_delegate_to = ["all"]
[[agents]]
name = "secretary"
role = "secretary"
capabilities = ["search"]
[[channels]]
name = "#task-board"
everybody = true
"""
GOOD = """\
name: good
description: Looks once
inputs:
  what: {required: true, description: What to look for}
  places: {kind: list, default: [here]}
steps:
  - {id: look, capability: search, for_each: inputs.places, do: "find {{ inputs.what }} {{ item }}"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD)
    return path


@pytest.fixture
def used(config: Path) -> Path:
    """A swarm that has run here before."""
    state = StateFolder(config.parent / ".parley")
    state.create()

    async def make() -> None:
        store = await Store.open(f"sqlite:///{state.database}")
        await give_schema(store)
        await store.close()

    asyncio.run(make())
    return config


def workflow(config: Path, command: str, *words: str) -> int:
    own = ["--config", str(config)] if command != "schema" else []
    folder = str(config.parent / "workflows")
    own += ["--folder", folder] if command in {"list", "run", "graph"} else []
    return main(["workflow", command, *own, *words])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_list_tells_inputs_and_ends_with_1_for_mistakes(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workflow(config, "list") == 0
    assert "what: What to look for (required)" in capsys.readouterr().out
    bad = config.parent / "workflows" / "bad.yaml"
    bad.write_text("name: bad\nsteps:\n  - {id: a, agent: secretry, do: x}\n")
    assert workflow(config, "list", "--json") == 1
    good, wrong = told(capsys)
    assert (good["name"], good["inputs"]["places"]["default"]) == ("good", ["here"])
    assert wrong["mistakes"] == [
        "bad.yaml:3:20: steps.a.agent: there is no agent 'secretry'; did you mean 'secretary'?"
    ]


def test_a_run_is_begun_looked_at_and_ended_while_the_swarm_is_down(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("good", "-i", "what=mixer", "-i", "places=attic, cellar", "--key", "k")
    assert workflow(used, "run", *words) == 0
    assert workflow(used, "run", *words, "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "WF-1"
    begun = json.loads(lines[1])
    assert (begun["code"], begun["state"]) == ("WF-1", "waiting"), "the same key, the same run"
    assert begun["inputs"] == {"places": ["attic", "cellar"], "what": "mixer"}
    assert workflow(used, "run", "good", "-i", "what=x", "--wait", "0.1") == 6
    assert "WF-2 is waiting" in capsys.readouterr().err
    assert workflow(used, "status", "--json") == 0
    assert [one["code"] for one in told(capsys)] == ["WF-2", "WF-1"]
    assert workflow(used, "status", "wf-1") == 0
    assert "look: waiting" in capsys.readouterr().out
    assert workflow(used, "cancel", "WF-1") == 0
    assert "WF-1 will end" in capsys.readouterr().out


def test_a_run_that_ended_otherwise_than_done_ends_with_1(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run", "good", "-i", "what=mixer", "--key", "k")
    assert workflow(used, *words) == 0

    async def cancelled() -> None:
        store = await Store.open(f"sqlite:///{StateFolder(used.parent / '.parley').database}")
        async with store.writing() as unit:
            ended = sa.update(WORKFLOW_RUN).values(state="cancelled", why="alice wants it to")
            await run(unit, ended)
        await store.close()

    asyncio.run(cancelled())
    capsys.readouterr()
    assert workflow(used, *words, "--wait", "5") == 1
    assert "WF-1 is cancelled: alice wants it to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "god"), 2, "did you mean good?"),
        (("run", "good"), 2, "needs the input 'what' (What to look for): give it as --input NAME="),
        (("run", "good", "-i", "what"), 2, "write NAME=VALUE"),
        (("run", "good", "-i", "wat=x"), 2, "has no input 'wat'; there are what, places"),
        (("status", "WF-7"), 2, "There is no run WF-7"),
        (("cancel", "WF-7"), 2, "There is no run WF-7"),
        (("graph", "good", "--format", "gif"), 2, "mermaid, svg or png"),
        (("graph", "WF-7"), 2, "There is no run WF-7"),
    ],
)
def test_what_is_not_understood_is_told(
    used: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert workflow(used, *words) == code
    assert said in capsys.readouterr().err


def test_where_no_swarm_has_run_nothing_can_be_begun(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workflow(config, "run", "good", "-i", "what=x") == 3
    assert "`run.py up` first" in capsys.readouterr().err


def test_workflows_and_runs_are_drawn(
    used: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    workflow(used, "run", "good", "-i", "what=x")
    for what, form, begins in (
        ("good", "svg", b"<svg "),
        ("WF-1", "png", b"\x89PNG"),
        ("WF-1", "mermaid", b"flowchart TD"),
    ):
        out = tmp_path / f"{what}.{form}"
        assert workflow(used, "graph", what, "--format", form, "-o", str(out)) == 0
        assert out.read_bytes().startswith(begins)
    capfdbinary.readouterr()
    assert workflow(used, "graph", "good") == 0
    assert capfdbinary.readouterr().out.startswith(b"flowchart TD")


def test_the_schema_is_printed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workflow(config, "schema") == 0
    assert told(capsys)["title"] == "A Parley workflow"
