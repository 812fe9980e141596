"""`run.py logs` shows what the processes wrote, and follows it through rotation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.cli.app import main
from bots.cli.logs import Reader, render
from bots.state import StateFolder

ROOT = Path(__file__).parents[3]
SWARM = '[[agents]]\nname = "captain"\nrole = "captain"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    return path


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / ".parley")
    folder.create()
    return folder


def _line(second: int, event: str, **facts: object) -> str:
    stamp = f"2026-11-20T10:00:{second:02d}.000000Z"
    return json.dumps({"event": event, "level": "info", "timestamp": stamp, **facts}) + "\n"


def test_lines_of_all_processes_in_the_order_of_time(
    config: Path, state: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    state.log_of("captain").write_text(_line(1, "first") + _line(3, "third", target="irc:#lobby"))
    state.log_of("supervisor").write_text(_line(2, "second"))
    assert main(["logs", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["first", "second", "third"]
    assert "target=irc:#lobby" in lines[2]


def test_an_unknown_agent_gets_the_nearest_name(
    config: Path, state: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    state.log_of("captain").write_text(_line(1, "x"))
    assert main(["logs", "captian", "--config", str(config)]) == 2
    assert "did you mean captain?" in capsys.readouterr().err


def test_no_logs_yet(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "--config", str(config)]) == 1
    assert "there are no logs yet" in capsys.readouterr().err


def test_the_last_lines_reach_back_into_the_rotated_file(state: StateFolder) -> None:
    path = state.log_of("captain")
    path.with_name("captain.log.1").write_text("a\nb\n")
    path.write_text("c\n")
    assert Reader(path).last(2) == ["b", "c"]
    assert Reader(path).last(9) == ["a", "b", "c"]


def test_lines_of_other_programs_and_tracebacks() -> None:
    assert render("nats", "[1] listening") == "nats: [1] listening"
    shown = render("captain", json.dumps({"event": "failed", "exception": "Traceback\n  x"}))
    assert shown.endswith("failed\nTraceback\n  x")


@pytest.fixture
def follower(config: Path, state: StateFolder) -> Iterator[subprocess.Popen[str]]:
    state.log_of("captain").write_text(_line(1, "before"))
    command = [sys.executable, str(ROOT / "run.py"), "logs", "-f", "--config", str(config)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_unbuffered()
    )
    yield process
    process.kill()
    process.wait()


def _unbuffered() -> dict[str, str]:
    return os.environ | {"PYTHONUNBUFFERED": "1"}


def test_follows_through_rotation_and_new_files_until_interrupted(
    state: StateFolder, follower: subprocess.Popen[str]
) -> None:
    assert follower.stdout is not None
    assert "before" in follower.stdout.readline()
    path = state.log_of("captain")
    path.rename(path.with_name("captain.log.1"))
    path.write_text(_line(2, "after rotation"))
    assert "after rotation" in follower.stdout.readline()
    state.log_of("buyer").write_text(_line(3, "a new process"))
    assert "buyer" in follower.stdout.readline()
    follower.send_signal(2)
    follower.wait(timeout=10)
    assert follower.returncode == 130
