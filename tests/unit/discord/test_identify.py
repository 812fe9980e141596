"""No bot identifies a thousand times a day, restarts included."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bots.discord.identify import IdentifyBudget

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_budget_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "captain.json"
    first = IdentifyBudget(file, 3)
    for minute in range(3):
        now = NOON + timedelta(minutes=minute)
        assert first.wait_s(now) == 0
        first.spend(now)
    later = IdentifyBudget(file, 3)
    now = NOON + timedelta(hours=1)
    assert len(json.loads(file.read_text())) == 3
    assert later.wait_s(now) == 23 * 3600
    assert later.wait_s(NOON + timedelta(hours=24)) == 0
    later.spend(NOON + timedelta(hours=24))
    assert len(json.loads(file.read_text())) == 3, "the first is a day old, and gone"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_clock_that_was_set_back_does_not_stretch_the_day(tmp_path: Path) -> None:
    file = tmp_path / "captain.json"
    file.write_text(json.dumps([NOON.timestamp()]))
    budget = IdentifyBudget(file, 1)
    assert budget.wait_s(NOON - timedelta(days=9)) == 24 * 3600


def test_a_damaged_file_is_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "captain.json"
    for content in ("", "{}", '["x"]', "[1, "):
        file.write_text(content)
        assert IdentifyBudget(file, 1).wait_s(NOON) == 0


def test_what_cannot_be_written_down_counts_in_this_process(tmp_path: Path) -> None:
    budget = IdentifyBudget(tmp_path / "gone" / "captain.json", 1)
    try:
        budget.spend(NOON)
    except OSError:
        assert budget.wait_s(NOON) > 0
    else:
        raise AssertionError("there is no such folder")
