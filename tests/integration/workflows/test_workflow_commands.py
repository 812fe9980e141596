"""`/workflow` begins a run for an operator, `/workflows` shows it, `/end-workflow` ends it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bots.commands.asked import Asked
from bots.commands.registry import Unclear
from bots.commands.workflows import WORKFLOWS
from bots.control.operators import Operators
from bots.settings import load
from bots.swarm_settings import OperatorSettings
from bots.workflows.beginning import Beginnings, CannotBegin, inputs_of
from storage import workflows
from storage.store import Store

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMANDS = {command.name: command for command in WORKFLOWS}


@pytest.fixture
def desk(store: Store) -> Any:
    return SimpleNamespace(
        store=store,
        now=lambda: NOW,
        operators=Operators(OperatorSettings(discord_users=("1",)), "test", "", lambda: NOW),
        beginnings=Beginnings(
            load(ROOT / "swarm.toml"), ROOT / "prompts" / "workflows", store, lambda: NOW
        ),
    )


def asked(account: str = "1", **more: Any) -> Asked:
    known: dict[str, Any] = {
        "sender": "alice",
        "account": account,
        "network": "discord",
        "channel": "#lobby",
        "session": "discord:#lobby",
        "trace_id": "t",
        "text": "",
        "words": "",
        "heard_at": NOW,
        "interaction": "9",
    }
    return Asked(**(known | more))


async def use(desk: Any, name: str, words: str, **more: Any) -> str | None:
    command = COMMANDS[name]
    arguments = command.read(words)
    assert arguments is not None
    return await command.run(desk, asked(**more), arguments)


async def test_an_operator_begins_a_run_looks_at_it_and_ends_it(desk: Any) -> None:
    words = "research-brief topic=wireless cards days=3"
    told = await use(desk, "workflow", words)
    assert told == "WF-1 begins; #task-board shows how far it is."
    # The same interaction, brought twice, is the same run.
    assert await use(desk, "workflow", words) == told
    run = await desk.store.read(lambda unit: workflows.by_code(unit, "WF-1"))
    assert run.inputs == '{"channel":"#ubuntu","days":"3","topic":"wireless cards"}'
    assert run.started_by == "alice (discord:user:1)"
    assert await use(desk, "workflows", "") == "WF-1 research-brief is waiting"
    assert "heard: waiting" in str(await use(desk, "workflows", "wf-1"))
    assert str(await use(desk, "end-workflow", "WF-1")).startswith("WF-1 will end")
    run = await desk.store.read(lambda unit: workflows.by_code(unit, "WF-1"))
    assert run.cancel_by == "alice (discord:user:1)"


async def test_whoever_drives_runs_is_told_of_what_begins_and_of_what_is_to_end(desk: Any) -> None:
    told: list[str] = []
    desk.beginnings.watchers.append(lambda: told.append("told"))
    await use(desk, "workflow", "research-brief topic=x")
    assert len(told) == 1
    await use(desk, "end-workflow", "WF-1")
    assert len(told) == 2
    await use(desk, "workflow", "research-brif")
    assert len(told) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("research-brif topic=x", "did you mean research-brief?"),
        ("research-brief", "needs the input 'topic'"),
        ("research-brief topik=x", "has no input 'topik'"),
        ("research-brief wireless", "I do not understand 'wireless': write INPUT=VALUE"),
    ],
)
async def test_what_cannot_begin_is_told_why(desk: Any, words: str, told: str) -> None:
    assert told in str(await use(desk, "workflow", words))
    assert await desk.store.read(lambda unit: workflows.recent(unit, 9)) == []


async def test_who_is_no_operator_begins_sees_and_ends_nothing(desk: Any) -> None:
    await use(desk, "workflow", "research-brief topic=x")
    for name, words in (
        ("workflow", "research-brief topic=y"),
        ("workflows", "WF-1"),
        ("end-workflow", "WF-1"),
    ):
        told = await use(desk, name, words, account="2", interaction="10")
        assert str(told).startswith("No: only an operator may do that")
    [run] = await desk.store.read(lambda unit: workflows.recent(unit, 9))
    assert run.cancel_by == ""


async def test_a_run_that_is_not_there_is_named(desk: Any) -> None:
    for name in ("workflows", "end-workflow"):
        with pytest.raises(Unclear, match="There is no run 'WF-7'"):
            await use(desk, name, "WF-7")


def test_inputs_are_words_up_to_the_next_name() -> None:
    assert inputs_of("a=b c d=e") == {"a": "b c", "d": "e"}
    assert inputs_of("") == {}
    with pytest.raises(CannotBegin):
        inputs_of("a b=c")
