"""What an agent thinks with is what its settings say, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots.agent.brains import models_of
from bots.agent.mind import Body, Mind, mind_of
from bots.clock import utc_now
from bots.settings import Settings, child_environment
from brain.errors import AllFailed, NoUsableKey
from brain.model import Conversation
from brain.prompting.scene import Heard, Look
from brain.tools.catalogue import TOOLS
from brain.tools.context import Context
from brain.tools.registry import target_of
from storage import agents, sessions
from storage.acts import Act
from storage.store import Store
from tests.integration.brain.mcp_stage import STDIO
from tests.integration.working.minds import KEYS, ROOT, asked, body, models, settings, spec
from tests.schema import give_schema
from tests.vendors.script import Fail, Say, Script
from tests.vendors.server import Stub, serving

DOWN = Fail(400)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script()) as running:
        yield running


def served(stub: Stub, captain: dict[str, Any], **more: Any) -> Settings:
    return settings(captain, models=models(stub.url, stub.openai_url), **more)


def mind(folder: Path, store: Store, found: Settings, **more: Any) -> Mind:
    return mind_of(body(spec(folder, found, **more), store))


async def test_models_are_asked_in_the_order_of_the_settings(
    stub: Stub, store: Store, tmp_path: Path
) -> None:
    chain = {"brain": "ollama", "fallback": ["claude", "gpt", "offline"]}
    one = mind(tmp_path, store, served(stub, chain))
    stub.script.then(DOWN, DOWN, Say("It hums."))
    answer = await one.model.query(asked())
    assert (answer.text, answer.model) == ("It hums.", "gpt")
    assert [request.wire for request in stub.script.requests] == ["chat", "messages", "responses"]
    assert [request.key for request in stub.script.requests][1:] == [
        "the-key-of-anthropic",
        "the-key-of-openai",
    ]
    assert one.state().startswith("gpt, for ollama (")
    await one.close()


async def test_without_a_model_that_answers_the_offline_brain_does_where_it_is_named(
    stub: Stub, store: Store, tmp_path: Path
) -> None:
    stub.script.choose = lambda _asked: DOWN
    named = mind(tmp_path, store, served(stub, {"brain": "gpt", "fallback": ["offline"]}))
    assert (await named.model.query(asked())).label == "offline brain"
    unnamed = mind(tmp_path, store, served(stub, {"brain": "gpt", "fallback": ["claude"]}))
    with pytest.raises(AllFailed):
        await unnamed.model.query(asked())
    await named.close()
    await unnamed.close()


async def test_a_model_that_is_named_twice_is_asked_once(tmp_path: Path) -> None:
    found = settings({"brain": "gpt", "fallback": ["gpt", "claude", "gpt"]})
    assert [one.name for one in models_of(spec(tmp_path, found))] == ["gpt", "claude"]


async def test_who_is_told_to_be_offline_calls_no_model_of_the_defaults(
    store: Store, tmp_path: Path
) -> None:
    found = settings({"brain": "offline"}, defaults={"brain": "gpt", "fallback": ["claude"]})
    born = spec(tmp_path, found)
    assert models_of(born) == []
    assert mind_of(body(born, store)).state() == "offline brain: no model is called"
    heir = settings({}, defaults={"brain": "gpt", "fallback": ["claude"]})
    assert [one.name for one in models_of(spec(tmp_path, heir))] == ["gpt", "claude"]


@pytest.mark.parametrize("brain", ["tiny", "small"])
async def test_a_weak_model_gets_neither_looks_nor_summaries_nor_tools(
    store: Store, tmp_path: Path, brain: str
) -> None:
    weak = mind(tmp_path, store, settings({"brain": brain}))
    assert weak.model.capabilities.is_weak
    assert not weak.model.capabilities.tools
    assert weak.looks is None
    assert weak.compactor.in_words is None
    strong = mind(tmp_path, store, settings({"brain": "gpt"}))
    assert strong.looks is not None
    assert strong.compactor.in_words is not None
    assert strong.model.capabilities.tools
    await weak.close()
    await strong.close()


async def test_nor_does_it_get_them_in_place_of_a_strong_one_that_failed(
    stub: Stub, store: Store, tmp_path: Path
) -> None:
    one = mind(tmp_path, store, served(stub, {"brain": "gpt", "fallback": ["small"]}))
    stub.script.then(DOWN)
    looks = one.looks
    assert looks is not None
    look = looks.look(Look(now=utc_now(), channels=[Heard(name="irc:#lobby")]))
    question = asked()
    with pytest.raises(AllFailed):
        await one.model.query(
            Conversation(system=look.system, messages=look.messages, occasion=question.occasion)
        )
    assert stub.script.count == 1
    stub.script.then(DOWN, Say("It hums."))
    specs = tuple(tool.spec for tool in TOOLS)
    answer = await one.model.query(
        Conversation(
            system="s", messages=question.messages, tools=specs, occasion=question.occasion
        )
    )
    assert answer.model == "small"
    assert "post" in stub.script.requests[-2].tools
    assert stub.script.last.tools == ()
    await one.close()


@pytest.mark.parametrize("last", ["offline", "small"])
async def test_what_it_remembers_is_in_no_words_of_a_lesser_brain(
    stub: Stub, store: Store, tmp_path: Path, last: str
) -> None:
    one = mind(tmp_path, store, served(stub, {"brain": "gpt", "fallback": [last]}))
    async with store.writing() as unit:
        await agents.enrol(unit, "captain", "captain", utc_now())
        session = await sessions.open_session(unit, "captain", "irc:#lobby", utc_now())
        for asked_for in ("why does the mixer hum?", "since when?", "who can mend it?"):
            await sessions.add_turn(
                unit,
                session,
                asker="ada",
                asked=asked_for,
                answer="It is the cable.",
                model="gpt",
                started_at=utc_now(),
                finished_at=utc_now(),
                trace_id="t",
            )
    stub.script.choose = lambda request: DOWN if request.wire == "responses" else Say("Banana.")
    done = await one.compactor.compact("irc:#lobby", asked().occasion)
    assert done is not None
    assert not done.by_model
    assert done.digest.startswith("Earlier: 3 questions of ada")
    await one.close()


async def test_a_key_that_cannot_be_had_is_told(stub: Stub, store: Store, tmp_path: Path) -> None:
    why = "env:TWO: this variable is not set; export it before `run.py up`"
    more: dict[str, Any] = {"model_keys": {}, "missing_keys": {"env:TWO": why}}
    alone = mind(tmp_path, store, served(stub, {"brain": "gpt"}), **more)
    with pytest.raises(NoUsableKey, match="gpt has no API key: env:TWO: this variable is not set"):
        await alone.model.query(asked())
    assert "no usable key" in alone.state()
    assert "no usable key" in alone.trouble()
    backed = mind(tmp_path, store, served(stub, {"brain": "gpt", "fallback": ["offline"]}), **more)
    answer = await backed.model.query(asked())
    assert any("no usable key" in note for note in answer.notes)
    assert stub.script.count == 0
    await alone.close()
    await backed.close()


def _servers(**more: Any) -> dict[str, Any]:
    odd = {"command": list(STDIO), "secrets": {"ODD_TOKEN": "env:ODD"}}
    other = {"command": list(STDIO), "secrets": {"OTHER_TOKEN": "env:OTHER"}}
    return {"mcp": {"odd": odd, "other": other}} | more


async def test_an_agent_has_the_servers_that_it_names_with_their_secrets_alone(
    store: Store, tmp_path: Path
) -> None:
    found = settings({"brain": "gpt", "mcp": ["odd.environment", "odd.add"]}, **_servers())
    one = body(
        spec(tmp_path, found, mcp_secrets={"env:ODD": "odd-secret"}),
        store,
    )
    thinking = mind_of(one)
    try:
        async with asyncio.timeout(20):
            while len(tools := await thinking.tools()) == len(TOOLS):
                pass
        more = tools[len(TOOLS) :]
        assert sorted(tool.spec.name for tool in more) == ["odd__add", "odd__environment"]
        [environment] = [tool for tool in more if tool.name.endswith("environment")]
        act = Act(
            agent="captain",
            verb="tool",
            target=target_of(environment.name),
            reason="a test",
            trace_id="t",
        )
        permit = await one.guard.permit(act)
        told = await environment.run(_context(one), {}, permit)
        given = dict(line.split("=", 1) for line in told.text.splitlines())
        assert given["ODD_TOKEN"] == "odd-secret"
        assert "OTHER_TOKEN" not in given
        assert not {*KEYS.values(), "nats-password", "control-token"} & {*given.values()}
        # Beside what the interpreter makes of these.
        assert given.keys() - {"LC_CTYPE"} <= {"ODD_TOKEN", *child_environment()}
    finally:
        await thinking.close()


async def test_a_server_that_cannot_be_started_is_known_before_anybody_asks(
    store: Store, tmp_path: Path
) -> None:
    gone = {"command": ["/nowhere/to/be/found"]}
    found = settings({"brain": "gpt", "mcp": ["gone"]}, mcp={"gone": gone})
    thinking = mind_of(body(spec(tmp_path, found), store))
    with capture_logs() as logs:
        await thinking.recover()
        async with asyncio.timeout(20):
            while not thinking.trouble():  # noqa: ASYNC110 - another process ends
                await asyncio.sleep(0.02)
        await thinking.tools()
        await thinking.close()
    assert thinking.trouble().startswith("MCP gone: it ")
    unusable = [one for one in logs if one["event"] == "mcp.unusable"]
    assert [(one["what"], one["log_level"]) for one in unusable] == [("gone", "warning")]


def _context(one: Body) -> Context:
    return Context(
        store=one.store,
        agent="captain",
        network="irc",
        channel="#lobby",
        asker="ada",
        asked="",
        now=utc_now,
        monotonic=time.monotonic,
        roster=one.cards,
        latch=lambda _: None,
    )


#: tells what a process has imported that makes the mind of an agent with this brain
_IMPORTED = """
import sys
from pathlib import Path
import bots.agent.process
from bots.agent.mind import mind_of
from storage.store import Store
from tests.integration.working.minds import body, settings, spec
folder = Path(sys.argv[1])
captain = {{"brain": "{brain}", "mcp": {mcp}}}
found = settings(captain, mcp={{"files": {{"command": ["files-mcp"]}}}})
mind_of(body(spec(folder, found), Store(f"sqlite:///{{folder / 'parley.db'}}")))
heavy = ("jinja2", "anthropic", "openai", "mcp", "genai_prices", "bots.agent.language")
print(*(name for name in heavy if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("brain", "mcp", "imported"),
    [
        ("offline", (), ""),
        ("offline", ("files",), ""),
        ("claude", (), "jinja2 anthropic bots.agent.language"),
        ("ollama", (), "jinja2 openai bots.agent.language"),
        ("ollama", ("files",), "jinja2 openai mcp bots.agent.language"),
    ],
)
def test_a_process_imports_what_its_own_agent_thinks_with(
    tmp_path: Path, brain: str, mcp: tuple[str, ...], imported: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED.format(brain=brain, mcp=mcp), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == imported
