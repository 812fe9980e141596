from __future__ import annotations

from typing import Annotated, Any

import pytest

from brain.errors import BadArguments
from brain.tools.catalogue import TOOLS
from brain.tools.context import Context
from brain.tools.registry import Effects, ToolResult, tool


@tool(effects=Effects.NONE, guard_class="test")
async def weigh(
    context: Context,
    what: Annotated[str, "what to weigh"],
    times: Annotated[int, "how often"] = 1,
    limit: Annotated[float | None, "in kilograms"] = None,
) -> ToolResult:
    """Weigh something."""
    return ToolResult(text=f"{what} {times} {limit}")


def test_the_schema_comes_from_the_type_hints() -> None:
    assert weigh.name == "weigh"
    assert weigh.description == "Weigh something."
    assert weigh.spec.parameters == {
        "type": "object",
        "properties": {
            "what": {"type": "string", "description": "what to weigh"},
            "times": {"type": "integer", "description": "how often"},
            "limit": {"type": "number", "description": "in kilograms"},
        },
        "required": ["what"],
        "additionalProperties": False,
    }


def test_good_arguments_pass_and_null_counts_as_left_out() -> None:
    assert weigh.read({"what": "a box", "limit": 2, "times": None}) == {
        "what": "a box",
        "limit": 2.0,
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "argument 'what' is missing"),
        ({"waht": "x"}, "no argument 'waht'; did you mean 'what'"),
        ({"what": 3}, "'what' must be of type string, not 3"),
        ({"what": "x", "times": True}, "'times' must be of type integer"),
        ({"what": "x", "times": "2"}, "'times' must be of type integer"),
        ({"what": "x" * 501}, "longer than 500"),
    ],
)
def test_bad_arguments_come_back_as_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadArguments, match=sentence):
        weigh.read(arguments)


def test_an_argument_without_a_description_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="needs Annotated"):

        @tool(effects=Effects.NONE, guard_class="test")
        async def broken(context: Context, what: str) -> ToolResult:
            return ToolResult(text=what)


def test_every_shipped_tool_tells_a_model_what_it_is_for() -> None:
    assert len({t.name for t in TOOLS}) == len(TOOLS)
    for each in TOOLS:
        assert each.description.endswith(".")
        assert all(p.description for p in each.parameters)
