"""docs/WORKFLOWS.md says what the code says: its file runs, its mistakes are told so, its commands
are there.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.cli.workflow import workflow as command
from bots.settings import load
from bots.workflows.library import Library
from brain.workflows.definition import Gate, Step
from brain.workflows.reading import WorkflowUnreadable
from brain.workflows.templating import _FILTERS, MOST_CHARACTERS, RUN_FIELDS
from brain.workflows.words import given

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "WORKFLOWS.md").read_text(encoding="utf-8")
EXAMPLE, BROKEN = re.findall(r"^```yaml\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
[SHELL] = re.findall(r"^```sh\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
[MISTAKES] = re.findall(r"^```text\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


@pytest.fixture
def library() -> Library:
    return Library(ROOT / "prompts" / "workflows", load(ROOT / "swarm.toml"))


def test_the_example_is_a_workflow_of_the_shipped_swarm(library: Library) -> None:
    workflow = library.parsed(EXAMPLE, "weekly-report.yaml")
    assert given(workflow, {"title": "Week 47"})["channels"] == ["#ubuntu", "#lobby"]
    used = {key for step in workflow.steps for key in step.model_fields_set}
    assert used == set(Step.model_fields) - {"join"}, "the example shows every key"
    gate = workflow.step("approval").gate
    assert gate is not None
    assert gate.model_fields_set == set(Gate.model_fields)


def test_the_mistakes_are_told_in_these_words(library: Library) -> None:
    with pytest.raises(WorkflowUnreadable) as unreadable:
        library.parsed(BROKEN, "broken.yaml")
    assert str(unreadable.value) == MISTAKES.strip()


def test_each_command_line_is_understood() -> None:
    for line in SHELL.splitlines():
        words = shlex.split(line, comments=True)
        assert words[:3] == ["python3", "run.py", "workflow"]
        shown = CliRunner().invoke(command, [words[3], "--help"])
        assert shown.exit_code == 0
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.output


def test_what_templates_know_is_listed() -> None:
    names = re.search(r"^Filters: `(.*?)`", DOC, re.MULTILINE | re.DOTALL)
    assert names is not None
    assert set(names[1].split()) == _FILTERS
    assert f"at most {MOST_CHARACTERS:,} characters" in DOC
    assert all(f".{name}`" in DOC for name in RUN_FIELDS)
