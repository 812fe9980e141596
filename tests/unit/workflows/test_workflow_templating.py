"""Templates see four names, do nothing, and never look at what an agent answered."""

from __future__ import annotations

import pytest

from brain.workflows.reading import read
from brain.workflows.templating import TemplateFailed, Told, evaluate, render
from brain.workflows.words import InputMissing, given

TOLD = Told(
    inputs={"items": "I", "words": "a,b"},
    steps={"a": ("{{ 1 + 1 }}\n- x", "done"), "fan": (["one", "two"], "done")},
    run={"code": "WF-1"},
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ steps.a.result }}", "{{ 1 + 1 }}\n- x"),
        ("{{ steps.a.result | lines | join('/') }}", "{{ 1 + 1 }}/x"),
        ("{{ steps.a.result | quoted }}", "> {{ 1 + 1 }}\n> - x"),
        ("{{ steps.fan.result[1] }} of {{ steps.fan.result | length }}", "two of 2"),
        ("{{ inputs.items }} {{ run.code }}", "I WF-1"),
        ("{{ inputs.words.split(',') | last }}", "b"),
        ("{% for x in steps.fan.result %}{{ loop.index }}{{ x }} {% endfor %}", "1one 2two"),
        ("{{ 3 * 4 }}", "12"),
    ],
)
def test_a_template_is_filled_in(source: str, text: str) -> None:
    assert render(source, TOLD) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ steps.a.__class__ }}",
        "{{ 'a' * 999999999 }}",
        "{{ 'a'.ljust(999999999) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ range(9) }}",
        "{{ cycler }}",
        "{{ steps.b.result }}",
        "{{ inputs.nothing }}",
        "{{ item }}",
        "{{ steps.fan.result[7] }}",
        "{{ inputs.items | attr('upper') }}",
        "{% include 'x' %}",
        "{% for a in steps.fan.result %}" + "{{ inputs.words }}" * 2_000 + "{% endfor %}",
        "{{ 1 // 0 }}",
        "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
        "{% for x in inputs.words %}" * 30 + "{% endfor %}" * 30,
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    ],
)
def test_what_is_not_there_or_not_allowed_fails_with_a_sentence(source: str) -> None:
    with pytest.raises(TemplateFailed, match=r"\w"):
        render(source, TOLD)


def test_an_expression_keeps_the_kind_of_its_value() -> None:
    assert evaluate("steps.fan.result", TOLD) == ["one", "two"]
    assert evaluate("steps.a.state == 'done'", TOLD) is True
    assert evaluate("item.name", Told(item={"name": "n"}, has_item=True)) == "n"
    with pytest.raises(TemplateFailed):
        evaluate("inputs.nothing", TOLD)


FILE = """\
name: x
inputs:
  topic: {required: true, description: what about}
  regions: {kind: list, default: [north]}
  note: {}
steps:
  - {id: a, agent: b, do: c}
"""


def test_inputs_are_checked_and_filled_up() -> None:
    workflow = read(FILE, "x.yaml")
    assert given(workflow, {"topic": "t"}) == {"topic": "t", "regions": ["north"], "note": ""}
    assert given(workflow, {"topic": "t", "regions": "a, b,"})["regions"] == ["a", "b"]
    with pytest.raises(InputMissing, match=r"x needs the input 'topic' \(what about\)"):
        given(workflow, {"topic": ""})
    with pytest.raises(InputMissing, match="x has no input 'topik'; there are topic, regions, no"):
        given(workflow, {"topik": "t"})
    with pytest.raises(InputMissing, match="'regions' is a list"):
        given(workflow, {"topic": "t", "regions": 7})
