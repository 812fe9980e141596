"""MCP servers' tools as an agent has them: named, described, allowed, called, through its loop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brain.errors import BadArguments
from brain.loop import Limits, Loop
from brain.model import Completion
from brain.tools.catalogue import TOOLS
from brain.tools.registry import Effects, Toolbox
from storage import audit
from storage.acts import Act
from storage.errors import PermitRefused
from tests.integration.brain.mcp_stage import (
    Serve,
    serve,
    spec,
    tools,
    use,
)
from tests.integration.brain.scripted import Scripted, calls, results
from tests.integration.brain.stage import Brain, question

__all__ = ["serve"]


async def test_a_programs_tools_are_called_through_the_loop(brain: Brain, serve: Serve) -> None:
    found = await tools(serve())
    wanted = calls(("odd__add", {"one": 40, "other": 2}), ("odd__add", {"one": "x"}))
    model = Scripted([wanted, Completion(text="42")])
    toolbox = Toolbox([*TOOLS, *found.values()], brain.toolbox().context)
    loop = Loop(
        model,
        toolbox,
        brain.guard,
        Limits(),
        time.monotonic,
        fence=lambda source, text: f"<{source}>{text}</>",
    )
    assert (await loop.run(question("what is 40 + 2?"))).text == "42"
    right, wrong = results(model)
    assert (right.text, right.is_error) == ("<tool:odd__add>42</>", False)
    # Its error is its own words too.
    assert wrong.is_error
    assert wrong.text.startswith("<tool:odd__add>")
    async with brain.store.reading() as unit:
        acts = [(e.verb, e.target) for e in await audit.entries(unit, "captain", 10)]
    assert ("run", "mcp:odd") in acts
    assert acts.count(("tool", "tool:odd__add")) == 2


async def test_names_and_words_of_tools_are_made_fit_for_models(serve: Serve) -> None:
    servers = serve()
    found = await tools(servers)
    assert "odd__odd_name_with_dots" in found
    add = found["odd__add"].spec
    assert add.description == "[Of the MCP server odd, in its words] Add two[U+200B] numbers."
    assert add.parameters["properties"]["other"]["description"] == "what[U+202E] is added"
    assert len(found["odd__wordy"].spec.description) < 1_000
    assert "odd__sprawling" not in found
    assert "more than 8,000" in servers.troubles["odd.sprawling"]
    assert found["odd__add"].effects is Effects.READS
    assert found["odd__environment"].effects is Effects.SENDS


@pytest.mark.parametrize(
    ("allowed", "names"),
    [(("odd.add", "odd.pid"), {"odd__add", "odd__pid"}), (("odd.none", "odd.pid"), {"odd__pid"})],
)
async def test_an_agent_has_the_tools_that_it_is_allowed(
    serve: Serve, allowed: tuple[str, ...], names: set[str]
) -> None:
    assert set(await tools(serve(allowed=allowed))) == names


async def test_a_server_that_no_tool_is_allowed_of_is_not_started(serve: Serve) -> None:
    servers = serve(spec(command=("/nowhere/to/be/found",)), allowed=("other",))
    assert await servers.tools() == ()
    assert servers.troubles == {}


async def test_a_program_has_the_environment_it_was_given_and_nothing_of_ours(
    brain: Brain, serve: Serve
) -> None:
    given = {"PATH": os.environ["PATH"], "TOKEN": "for you alone"}
    found = await tools(serve(environment=given))
    text = (await use(brain, found["odd__environment"])).text
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert {"PATH", "TOKEN"} <= names
    # What the interpreter and the loader put there themselves.
    assert names <= {"PATH", "TOKEN", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert "for you alone" not in repr(spec(environment=given))


async def test_a_picture_is_named_and_a_failure_is_the_servers_words(
    brain: Brain, serve: Serve
) -> None:
    found = await tools(serve())
    shown = await use(brain, found["odd__picture"])
    assert shown.text == "a red dot\n[image image/png, 1,200 bytes]"
    failed = await use(brain, found["odd__fail"])
    assert failed.is_error


async def test_calls_of_a_step_run_at_the_same_time(brain: Brain, serve: Serve) -> None:
    found = await tools(serve())
    began_s = time.monotonic()
    await asyncio.gather(*[use(brain, found["odd__rest"], seconds=0.5) for _ in range(8)])
    assert time.monotonic() - began_s < 3


async def test_a_tool_runs_with_its_own_permit_and_bounded_arguments(
    brain: Brain, serve: Serve
) -> None:
    found = await tools(serve())
    act = Act(agent="captain", verb="tool", target="tool:now", reason="a test", trace_id="t")
    permit = await brain.guard.permit(act)
    with pytest.raises(PermitRefused):
        await found["odd__pid"].run(brain.toolbox().context, {}, permit)
    with pytest.raises(BadArguments, match="characters of arguments are too many"):
        await use(brain, found["odd__add"], one="x" * 100_001)


def test_nothing_of_it_is_loaded_for_agents_that_do_not_use_it() -> None:
    asked = "import sys, brain.loop, brain.tools.catalogue; print('mcp' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
