"""The commands as Discord takes them, and what is offered while they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands.catalogue import catalogue, table
from bots.commands.registry import Command, Kind
from bots.discord.answers import quiet
from bots.discord.completion import MOST_CHOICES, choices
from bots.discord.registration import canonical, carried_by, payload_of
from bots.settings import Settings

ROOT = Path(__file__).parents[3]
COMMANDS = list(catalogue("!"))
WANTED = (
    *("ask", "status", "agents", "search", "summary", "stop", "new", "compact", "model", "usage"),
    *("budget", "whoami", "kill-autonomous", "resume", "audit", "delegate", "delegations"),
    *("pending", "approve", "reject", "complete"),
)
LATER = {"captain-override", "market"}
NAME = re.compile(r"^[-_\w]{1,32}$")


def settings(**more: Any) -> Settings:
    names = [{"name": n, "role": r} for n, r in (("auditor", "audit"), ("captain", "captain"))]
    return Settings.model_validate({"agents": names} | more)


def options() -> Iterator[dict[str, Any]]:
    for command in COMMANDS:
        yield from payload_of(command)["options"]


def test_every_command_of_this_issue_is_there_and_none_of_a_later_one() -> None:
    names = {payload_of(c)["name"] for c in COMMANDS}
    assert set(WANTED) <= names
    assert not names & LATER


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_a_command_has_the_form_that_discord_asks_for(command: Command) -> None:
    payload = payload_of(command)
    for named in (payload, *payload["options"]):
        assert NAME.match(named["name"])
        assert named["name"] == named["name"].lower()
        assert 1 <= len(named["description"]) <= 100
    assert len(payload["options"]) <= 25
    required = [o["required"] for o in payload["options"]]
    assert required == sorted(required, reverse=True)
    assert len({o["name"] for o in payload["options"]}) == len(required)
    assert "default_member_permissions" not in payload


def test_names_are_unique_and_few_enough() -> None:
    names = [payload_of(c)["name"] for c in COMMANDS]
    assert len(names) == len(set(names)) <= 100


def test_only_text_is_completed() -> None:
    assert all(o["type"] == 3 for o in options() if o.get("autocomplete"))


def test_the_captain_carries_all_a_deputy_the_kill_and_others_none() -> None:
    swarm = settings()
    assert swarm.captain == "captain"
    assert [c.name for c in carried_by("captain", swarm, COMMANDS)] == [c.name for c in COMMANDS]
    assert carried_by("auditor", swarm, COMMANDS) == ()
    deputy = carried_by("auditor", settings(discord={"deputy": "auditor"}), COMMANDS)
    assert [c.slash_name for c in deputy] == ["kill-autonomous", "resume"]


def test_a_swarm_without_a_captain_has_a_face_all_the_same() -> None:
    alone = Settings.model_validate({"agents": [{"name": "rook", "role": "search"}]})
    assert alone.captain == "rook"


def test_what_discord_adds_by_itself_is_no_difference() -> None:
    ours = [payload_of(c) for c in COMMANDS]
    theirs = [
        p
        | {"id": "1", "version": "2", "nsfw": False, "default_member_permissions": None}
        | {"options": [o | {"name_localizations": None} for o in p["options"]]}
        for p in reversed(ours)
    ]
    assert canonical(theirs) == canonical(ours)


@given(st.data())
def test_any_other_word_of_ours_is_a_difference(data: st.DataObject) -> None:
    ours = [payload_of(c) for c in COMMANDS]
    changed = [dict(p) for p in ours]
    index = data.draw(st.integers(0, len(changed) - 1))
    changed[index]["description"] += "!"
    assert canonical(changed) != canonical(ours)


def test_what_is_offered_begins_with_what_was_typed() -> None:
    agents = ("captain", "secretary", "tech-lead", "extractor")
    assert choices(Kind.AGENT, "TE", agents=agents, channels=()) == ["tech-lead"]
    assert choices(Kind.AGENT, "t", agents=agents, channels=())[0] == "tech-lead"
    assert choices(Kind.SCOPE, "", agents=agents, channels=())[0] == "all"
    assert choices(Kind.CHANNEL, "lo", agents=(), channels=("#task", "#lobby")) == ["#lobby"]
    assert choices(Kind.TEXT, "x", agents=agents, channels=("#x",)) == []


@given(st.sampled_from(Kind), st.text(max_size=30), st.lists(st.text(max_size=120), max_size=60))
def test_at_most_25_choices_that_discord_takes(kind: Kind, typed: str, names: list[str]) -> None:
    offered = choices(kind, typed, agents=names, channels=names)
    assert len(offered) <= MOST_CHOICES
    assert all(len(name) <= 100 for name in offered)
    assert len(set(offered)) == len(offered)


def test_links_show_no_preview_and_code_stays_as_it_is() -> None:
    text = "see https://example.org/a?b=1 and <https://example.org>\n```\ncurl https://example.org\n```"
    assert quiet(text) == (
        "see <https://example.org/a?b=1> and <https://example.org>\n"
        "```\ncurl https://example.org\n```"
    )


def test_the_documentation_says_what_there_is() -> None:
    page = (ROOT / "docs" / "COMMANDS.md").read_text(encoding="utf-8")
    assert table(COMMANDS) in page, "docs/COMMANDS.md is stale: python -m bots.commands"


def test_the_readme_names_every_slash_command() -> None:
    page = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert [c.slash_name for c in COMMANDS if f"`/{c.slash_name}`" not in page] == []
