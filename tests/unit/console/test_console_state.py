from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.console import cookies, icons, message_views, swarm, views
from bots.console.attempts import MOST, WINDOW_S, Attempts
from bots.console.config import Config
from bots.console.cookies import LASTS, Login
from bots.console.model import Channel, Guild, Kind, Member
from bots.console.rest import sentence
from bots.private_file import ConfigError, read

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
KEY = b"k" * 32


def test_a_cookie_is_read_back_only_whole_signed_and_fresh() -> None:
    value = cookies.write(KEY, Login("you", NOW))
    assert cookies.read(KEY, value, NOW + timedelta(days=1)) == Login("you", NOW)
    assert cookies.read(b"other" * 8, value, NOW) is None
    assert cookies.read(KEY, value, NOW + LASTS + timedelta(hours=1)) is None
    assert cookies.read(KEY, value, NOW - timedelta(hours=1)) is None
    body, mark = value.split(".")
    assert cookies.read(KEY, f"{body[:-2]}AA.{mark}", NOW) is None
    for broken in ("", ".", "x", "é.é", f"{body}."):
        assert cookies.read(KEY, broken, NOW) is None


def test_guessing_is_slowed_down() -> None:
    attempts = Attempts()
    for number in range(MOST):
        assert attempts.wait_s(float(number)) == 0.0
        attempts.failed(float(number))
    assert attempts.wait_s(10.0) == pytest.approx(WINDOW_S - 10.0)
    assert attempts.wait_s(WINDOW_S + 0.5) == 0.0


def status(*states: str, killed: bool = True, pid: int | None = 5) -> dict[str, Any]:
    latch = {"scope": "all", "by": "you", "door": "console", "reason": "", "at": "then"}
    return {
        "swarm": "parley",
        "killed": [latch] if killed else [],
        "agents": [
            {"name": f"a{i}", "state": s, "reason": "", "pid": pid} for i, s in enumerate(states)
        ],
    }


@pytest.mark.parametrize(
    ("body", "mood", "confirmed"),
    [
        (status("ready", "ready", killed=False), "running", 0),
        (status("killed", "ready"), "stopping", 1),
        (status("killed", "killed"), "stopped", 2),
        (status("killed", "failed"), "stopped", 2),
        (status("killed", "starting", pid=None), "stopped", 2),
        (status("killed", "hung"), "stopping", 1),
    ],
)
def test_stopped_is_said_only_when_all_have_confirmed(
    body: dict[str, Any], mood: str, confirmed: int
) -> None:
    found = swarm.read(body, report={}, seen_at="now")
    assert (found.mood, found.confirmed) == (mood, confirmed)


def test_an_empty_swarm_is_unknown() -> None:
    assert swarm.Swarm().mood == "unknown"


def test_the_times_of_another_kill_are_not_shown() -> None:
    report = {"at": "then", "confirmed_ms": {"a0": 12.0, "a1": 40.0}}
    found = swarm.read(status("killed", "killed"), report=report, seen_at="")
    assert found.slowest == ("a1", 40.0)
    other = swarm.read(status("killed", "killed"), report=report | {"at": "before"}, seen_at="")
    assert other.slowest is None


def approval(**more: Any) -> dict[str, Any]:
    embed = {
        "title": "Publish",
        "footer": {"text": "approval AP-7"},
        "timestamp": (NOW + timedelta(minutes=5)).isoformat(),
        "fields": [{"name": "Undo", "value": "**yes**"}],
    }
    row = {"type": 1, "components": [{"type": 2, "style": 3, "custom_id": "yes", "label": "Yes"}]}
    author = {"id": "6", "username": "captain", "bot": True}
    message = {"id": "70", "channel_id": "20", "author": author, "timestamp": NOW.isoformat()}
    return message | {"content": "", "embeds": [embed], "components": [row]} | more


def guild() -> Guild:
    made = Guild(1, me=5)
    made.members = {
        5: Member(id=5, name="you", status="online"),
        6: Member(id=6, name="captain", bot=True, status="dnd"),
        7: Member(id=7, name="Jon Abara"),
    }
    made.channels[20] = Channel(id=20, kind=Kind.TEXT, name="lobby")
    return made


def test_an_approval_is_a_card_until_it_is_decided_or_expires() -> None:
    made = guild()
    made.channels[20].messages[70] = approval()
    shown = message_views.message(made, approval(), NOW)
    assert shown.card is not None
    assert (shown.card.label, shown.card.open, shown.card.expired) == ("AP-7", True, False)
    assert "<strong>yes</strong>" in shown.card.facts[0][1]
    assert shown.embeds == []
    assert views.channels(made, views.waiting(made, NOW))[0].rows[0].waiting == 1
    late = message_views.message(made, approval(), NOW + timedelta(minutes=6)).card
    assert late is not None
    assert late.expired
    decided = approval(components=[])
    assert not message_views.waits(decided, NOW)
    assert not message_views.waits(approval(embeds=[]), NOW)


def test_members_stand_in_groups_by_state_and_people_first() -> None:
    groups = views.members(guild(), swarm.Swarm(), frozenset({"you"}))
    assert [(g.title, [r.face.name for r in g.rows]) for g in groups] == [
        ("People", ["you", "Jon Abara"]),
        ("Killed", ["captain"]),
    ]
    assert [r.about for r in groups[0].rows] == ["operator", "guest · away"]
    assert groups[0].rows[1].face.initials == "JA"
    assert groups[1].rows[0].face.icon == "crown"


def test_text_of_others_is_escaped_everywhere() -> None:
    evil = "<img src=x onerror=alert(1)>"
    embed = {"title": evil, "description": evil, "fields": [{"name": evil, "value": evil}]}
    shown = message_views.message(guild(), approval(content=evil, embeds=[embed]), NOW)
    assert "<img" not in shown.html
    assert "<img" not in shown.embeds[0]["html"]
    assert "<img" not in shown.embeds[0]["fields"][0]["html"]


def test_every_icon_that_is_named_is_drawn() -> None:
    named = {i for _, i in (*icons._ROLES, *icons._COMMANDS, *icons._CHANNELS)}
    assert named | set(icons.EMOJI.values()) <= set(icons._PATHS)


@pytest.mark.parametrize(
    ("code", "body", "says"),
    [
        (403, {"code": 50013, "message": "Missing Permissions"}, "You may not do this here."),
        (413, None, "The file is too large."),
        (500, None, "The guild has a fault. Try again in a moment."),
        (429, {}, "Too fast: wait a moment and try again."),
        (
            400,
            {
                "code": 50035,
                "message": "Invalid Form Body",
                "errors": {"content": {"_errors": [{"code": "X", "message": "Too long."}]}},
            },
            "Too long.",
        ),
        (404, {"code": 1, "message": "Strange"}, "The guild refused: Strange."),
    ],
)
def test_errors_are_sentences(code: int, body: Any, says: str) -> None:
    assert sentence(code, body) == says


def test_a_configuration_that_others_can_read_or_that_is_wrong_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    with pytest.raises(ConfigError, match="cannot read"):
        read(path, Config)
    secret = "the-secret-token"
    path.write_text(json.dumps({"swarm": "parley", "token": secret, "port": "x"}))
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(path, Config)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="port") as raised:
        read(path, Config)
    assert secret not in str(raised.value)
