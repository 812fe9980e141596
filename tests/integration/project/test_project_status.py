"""How the project stands: the captain alone changes it; others are refused, which is on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.project import telling
from brain.model import Completion, ToolCall
from brain.models.scripted import Scripted
from brain.project import NOBODY_SAID
from brain.tools.project import project, set_project_status, write_down
from storage import audit, project_log
from storage.project_tables import EntryKind, ProjectEntry
from storage.store import Store
from tests.integration.delegating.office import Office, office

TOOLS = (project, set_project_status, write_down)


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


def calls(name: str, **arguments: Any) -> Scripted:
    call = Completion(tool_calls=(ToolCall(id="1", name=name, arguments=arguments),))
    return Scripted([call, Completion(text="as you wish")])


def found_by(model: Scripted) -> str:
    """What the tool gave the model."""
    return model.shown[-1].messages[-1].text


async def asked(crew: Office, agent: str, name: str, **arguments: Any) -> str:
    """The agent is asked for something, and its model calls one tool for it."""
    model = calls(name, **arguments)
    await crew.hire(agent, model, TOOLS)
    ended = await crew.ended(agent, await crew.give(agent, agent, f"call {name}"))
    assert ended.state == "done", ended.error
    return found_by(model)


async def written(crew: Office) -> list[ProjectEntry]:
    lines = await crew.store.read(lambda unit: project_log.between(unit, 0, 1_000))
    return [line for line in lines if line.kind != EntryKind.RESULT]


async def test_the_captain_changes_how_the_project_stands_and_everybody_reads_it(
    crew: Office,
) -> None:
    assert telling.standing(await crew.store.read(project_log.standing)) == NOBODY_SAID
    told = await asked(
        crew, "captain", "set_project_status", status="Active", sentence="it goes\n well"
    )
    assert "The project is active from now on." in told
    stands = await crew.store.read(project_log.standing)
    assert stands is not None
    assert (stands.status, stands.sentence, stands.by) == (
        "active",
        "it goes well",
        "agent:captain",
    )
    assert telling.standing(stands) == (
        f"The project is active since {stands.since:%Y-%m-%d %H:%M} UTC (captain): it goes well"
    )
    seen = await asked(crew, "buyer", "project")
    assert "active since" in seen
    assert "it goes well" in seen
    assert "captain done: call set_project_status: as you wish" in seen


@pytest.mark.parametrize("agent", ["tech-lead", "buyer"])
async def test_others_are_refused_and_audited(crew: Office, agent: str) -> None:
    told = await asked(crew, agent, "set_project_status", status="done", sentence="I say so")
    assert "only captain changes how the project stands" in told
    assert await written(crew) == []
    entries = await crew.store.read(lambda unit: audit.entries(unit, agent, verb="set"))
    assert [(e.outcome, e.target) for e in entries] == [("refused", "project:status")]
    assert await crew.store.read(lambda unit: audit.verify(unit, agent)) is None


async def test_what_is_no_status_and_what_has_no_words_changes_nothing(crew: Office) -> None:
    told = await asked(crew, "captain", "set_project_status", status="fine", sentence="well")
    assert "planned, active, blocked, paused, done" in told
    told = await asked(crew, "captain", "set_project_status", status="done", sentence=" \n ")
    assert "'sentence' is empty" in told
    told = await asked(crew, "buyer", "write_down", kind="rumour", words="hm")
    assert "must be decision or note" in told
    assert await written(crew) == []


async def test_any_agent_writes_down_decisions_and_notes_without_secrets(crew: Office) -> None:
    key = "ghp_" + "a1B2" * 9
    await asked(crew, "buyer", "write_down", kind="decision", words=f"we use the key {key}")
    await asked(crew, "secretary", "write_down", kind="Note", words="the mixer is red")
    assert [(e.agent, e.kind, e.text) for e in await written(crew)] == [
        ("buyer", "decision", "we use the key [hidden]"),
        ("secretary", "note", "the mixer is red"),
    ]


async def test_what_was_asked_where_not_everybody_reads_is_not_shown_elsewhere(
    crew: Office,
) -> None:
    given = await crew.give(
        "buyer", "buyer", "the salaries", network="irc", channel="nick:buyer", asked_by="alice"
    )
    await crew.ended("buyer", given)
    seen = await asked(crew, "secretary", "project")
    assert "salaries" not in seen
    lines = await crew.store.read(lambda unit: project_log.between(unit, 0, 1_000))
    assert next((e.network, e.channel) for e in lines) == ("irc", "nick:buyer")
