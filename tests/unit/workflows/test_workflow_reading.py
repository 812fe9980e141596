"""A workflow's file is read, or each mistake is named with its line, its column and its cure."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.workflows.checking import Known
from brain.workflows.reading import WorkflowUnreadable, read

KNOWN = Known(
    agents=["captain", "secretary", "harvester"],
    capabilities=["search", "summarise"],
    channels=["#reports"],
)
GOOD = """\
name: survey
inputs:
  topic: {required: true}
  regions: {kind: list, default: [a, b]}
steps:
  - id: one
    agent: secretary
    do: "look at {{ inputs.topic }}"
  - id: two
    needs: [one]
    capability: search
    for_each: inputs.regions
    do: |
      Look at
      {{ item }} {{ steps.one.result }}
    post_to: "#reports"
output: "{{ steps.two.result | join }}"
"""
#: what is put in place of what, and what the mistake then says
MISTAKES = [
    ("agent: sec", "agnt: sec", "7:5: steps.one.agnt: no such key; did you mean 'agent'?"),
    ("secretary", "secretry", "7:12: steps.one.agent: there is no agent 'secretry'; did you mean "),
    (
        "search",
        "serch",
        "11:17: steps.two.capability: no agent can 'serch'; did you mean 'search'?",
    ),
    ("#reports", "#report", "16:14: steps.two.post_to: there is no channel '#report'; did you"),
    ("[one]", "[oen]", "10:13: steps.two.needs.1: no step is called 'oen'; did you mean 'one'?"),
    ("[one]", "[two]", "10:12: steps.two.needs: the steps wait for each other in a circle: two → "),
    ("id: two", "id: one", "9:9: steps.one.id: 'one' is the id of step 1 already"),
    ("id: two", "id: T-2", "9:9: steps.T-2.id: 'T-2' does not fit: it must look like ^[a-z]"),
    ("inputs.topic", "inputs.topik", "8:9: steps.one.do: inputs.topik: there is no input 'topik'"),
    ("{{ item }}", "{{ item", "15:7: steps.two.do: it does not parse: expected token"),
    ("one.result", "uno.result", "15:7: steps.two.do: steps.uno.result: there is no step 'uno'"),
    ("needs: [one]", "needs: []", "15:7: steps.two.do: 'one' may not be over by then: add it to"),
    ("one.result", "one.rslt", "15:7: steps.two.do: steps.one.rslt: there is no field of a step"),
    ("{{ item }}", "{{ region }}", "15:7: steps.two.do: 'region' is not there; there are inputs, "),
    ("{{ inputs.topic", "{{ item", "8:9: steps.one.do: item is there only where a step says"),
    ("result | join", "result | jion", "17:9: output: it does not parse: No filter named 'jion'"),
    ("name: survey\n", "", "1:1: 'name' is missing"),
    ("[one]", "one", "10:12: steps.two.needs: a list belongs here"),
    ("inputs.regions", "3", "12:15: steps.two.for_each: a text belongs here"),
    ("kind: list", "kind: lst", "4:19: inputs.regions.kind: Input should be 'text' or 'list'"),
    ("agent: secretary", "agent: secretary\n    gate: {title: x}", "6:5: steps.one: a step has ex"),
    ("do: |", "do: &x |", "13:9: anchors and aliases are not read: write it out"),
    ("id: two", "id: two\n    id: too", "10:5: 'id' stands in line 9 already"),
    ("needs: [one]", "needs: [one", "11:15: not YAML: "),
    (GOOD, "", "1:1: the file is empty"),
    (GOOD, "hello", "1:1: keys and values belong here"),
    (GOOD, GOOD + "---\na: b\n", "18:1: one file holds one workflow"),
    (GOOD, "[" * 5000, "1:21: nested deeper than 20 levels"),
]


@pytest.mark.parametrize(("wrong", "instead", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_column(wrong: str, instead: str, said: str) -> None:
    assert wrong in GOOD
    with pytest.raises(WorkflowUnreadable) as unreadable:
        read(GOOD.replace(wrong, instead, 1), "survey.yaml", KNOWN)
    assert f"survey.yaml:{said}" in str(unreadable.value)


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("secretary", "secretry").replace("#reports", "#report")
    with pytest.raises(WorkflowUnreadable) as unreadable:
        read(text, "survey.yaml", KNOWN)
    assert [mistake.place.line for mistake in unreadable.value.mistakes] == [7, 16]


def test_a_longer_circle_is_told_with_its_path() -> None:
    step = "  - {{id: {}, agent: a, do: x, needs: [{}]}}\n"
    steps = "".join(step.format(*pair) for pair in ("ac", "ba", "cb"))
    with pytest.raises(WorkflowUnreadable, match="a → c → b → a"):
        read(f"name: x\nsteps:\n{steps}", "x.yaml")


def test_a_good_file_is_read_and_yes_is_a_word() -> None:
    workflow = read(GOOD.replace("default: [a, b]", "default: [yes, on, 1:30]"), "x", KNOWN)
    assert workflow.inputs["regions"].default == ["yes", "on", "1:30"]
    assert [step.id for step in workflow.steps] == ["one", "two"]
    assert workflow.above("two") == {"one"}


def test_a_quorum_that_never_comes_is_refused() -> None:
    gate = 'gate: {title: x, approvers: ["user:1", "user:1"], quorum: 2}'
    with pytest.raises(WorkflowUnreadable, match="a quorum of 2 among 1 approvers never comes"):
        read(f"name: x\nsteps:\n  - id: a\n    {gate}\n", "x.yaml")


@given(st.text(max_size=200) | st.integers(0, len(GOOD)).map(lambda at: GOOD[:at]))
def test_nothing_but_a_workflow_or_its_mistakes_comes_of_any_text(text: str) -> None:
    with suppress(WorkflowUnreadable):
        assert read(text, "x.yaml", KNOWN).steps
