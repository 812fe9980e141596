"""The workflows that come with Parley fit the swarm that comes with it, and the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bots.settings import load
from brain.workflows.checking import Known
from brain.workflows.definition import OPERATORS, Workflow, schema
from brain.workflows.reading import read
from brain.workflows.words import given
from brain.workflows.yaml_places import parse

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "prompts" / "workflows"
FILES = sorted(FOLDER.glob("*.yaml"))
SETTINGS = load(ROOT / "swarm.toml")
KNOWN = Known(
    agents=[agent.name for agent in SETTINGS.agents],
    capabilities={word for agent in SETTINGS.agents for word in agent.capabilities},
    channels={name for agent in SETTINGS.agents for name in SETTINGS.channels_of(agent)},
)


def shipped(name: str) -> Workflow:
    return read((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), name, KNOWN)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_names_what_the_swarm_has(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=workflow.schema.json\n")
    workflow = read(text, path.name, KNOWN)
    assert workflow.name == path.stem
    assert workflow.description
    # With all that it asks for, a run can begin.
    given(workflow, {name: "x" for name, one in workflow.inputs.items() if one.required})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_schema_takes_what_we_ship(path: Path) -> None:
    jsonschema.validate(parse(path.read_text(encoding="utf-8")).data, schema())


def test_the_schema_refuses_what_we_refuse() -> None:
    bad: dict[str, Any] = {"name": "x", "steps": [{"id": "a", "agnt": "b"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, schema())


def test_the_published_schema_is_the_code_s() -> None:
    published = json.loads((FOLDER / "workflow.schema.json").read_text(encoding="utf-8"))
    assert published == schema(), "run: python3 run.py workflow schema --write"


def test_the_four_are_what_they_are_called() -> None:
    assert [path.stem for path in FILES] == [
        "incident-triage",
        "market-survey",
        "release-check",
        "research-brief",
    ]
    assert shipped("research-brief").step("review").needs == ("brief",)
    gate = shipped("release-check").step("approval").gate
    assert gate is not None
    assert (gate.quorum, gate.approvers) == (2, (OPERATORS,))
    assert shipped("market-survey").step("survey").for_each == "inputs.regions"
    assert shipped("incident-triage").step("wake").when is not None
