"""A log line is JSON, carries its trace id and holds no secret; files rotate and are private."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.logs import configure
from bots.secrets import HIDDEN, Redactor
from tests.short_logs import log_in_short


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    before = list(logging.getLogger().handlers)
    path = tmp_path / "agent.log"
    configure(path, bytes=20_000, files=2, redactor=Redactor(["hunter2"]))
    yield path
    root = logging.getLogger()
    for handler in [h for h in root.handlers if h not in before]:
        root.removeHandler(handler)
        handler.close()
    log_in_short()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_carries_level_time_facts_and_trace_id(log: Path) -> None:
    structlog.get_logger().info("reply sent", target="irc:#lobby", parts=2, trace_id="t-1")
    structlog.get_logger().warning("no trace here")
    first, second = _lines(log)
    assert first["event"] == "reply sent"
    assert (first["level"], first["target"], first["parts"]) == ("info", "irc:#lobby", 2)
    assert first["trace_id"] == "t-1"
    assert first["timestamp"].endswith("Z")
    assert "trace_id" not in second


def test_libraries_that_use_logging_land_in_the_same_file(log: Path) -> None:
    logging.getLogger("some.library").warning("it said %s", "hunter2")
    (line,) = _lines(log)
    assert line["event"] == f"it said {HIDDEN}"
    assert line["logger"] == "some.library"


def test_secrets_hide_in_values_keys_objects_and_tracebacks(log: Path) -> None:
    class Connection:
        def __repr__(self) -> str:
            return "<Connection password=hunter2>"

    logger = structlog.get_logger()
    try:
        int("login with hunter2 failed")
    except ValueError:
        logger.exception("failed", deep={"hunter2": ["hunter2", ("PASS x", 1)]}, made=Connection())
    text = log.read_text(encoding="utf-8")
    assert "hunter2" not in text
    (line,) = _lines(log)
    assert "ValueError" in line["exception"]
    assert line["deep"] == {HIDDEN: [HIDDEN, [f"PASS {HIDDEN}", 1]]}


def test_files_rotate_and_are_private(log: Path) -> None:
    for number in range(1000):
        structlog.get_logger().info("line", number=number)
    names = sorted(p.name for p in log.parent.iterdir())
    assert names == ["agent.log", "agent.log.1", "agent.log.2"]
    for path in log.parent.iterdir():
        assert path.stat().st_size <= 20_000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _lines(log)[-1]["number"] == 999


def test_what_a_full_disk_swallowed_is_counted(log: Path) -> None:
    assert not log.exists()
    log.symlink_to("/dev/full")
    structlog.get_logger().info("lost")
    structlog.get_logger().info("lost too")
    log.unlink()
    for handler in logging.getLogger().handlers:
        handler.close()
    structlog.get_logger().info("back")
    (line,) = _lines(log)
    assert line["lost_lines"] == 2
