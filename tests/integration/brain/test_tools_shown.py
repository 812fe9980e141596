"""A model is told of the tools that it can use in this turn: each is paid for with every call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from bots.swarm_settings import AgentSettings, ToolGroup
from brain.tools.catalogue import TOOLS, of_groups
from brain.tools.context import Context
from brain.tools.registry import Toolbox
from tests.integration.brain.stage import Brain


def shown(context: Context) -> set[str]:
    # Whatever a tool may need: nobody calls it here.
    anything: Any = object()
    able = replace(context, handing=anything, people=anything, project=anything, talking=anything)
    return {spec.name for spec in Toolbox(TOOLS, able).specs}


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("report", {"is_delegated": True}),
        ("set_project_status", {"leads": True}),
        ("publish_knowledge", {"reaches_out": True}),
        ("talk_with", {"is_in_talk": False}),
        ("request_human", {"has_people": True}),
    ],
)
def test_what_would_only_refuse_is_not_shown(
    brain: Brain, name: str, where: dict[str, Any]
) -> None:
    here = replace(brain.toolbox().context, channel=None)
    without: dict[str, Any] = {field: not value for field, value in where.items()}
    assert name in shown(replace(here, **where))
    assert name not in shown(replace(here, **without))


def test_groups_are_those_that_tools_have() -> None:
    assert set(get_args(ToolGroup)) == {one.guard_class for one in TOOLS}
    assert of_groups(AgentSettings(name="ada", role="x").tools) == TOOLS
    few = AgentSettings(name="ada", role="x", tools=("notes",))
    assert {one.name for one in of_groups(few.tools)} == {"remember", "recall", "forget"}
