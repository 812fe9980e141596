"""The latch as a file: a kill always works, and what cannot be read counts as killed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LatchUnreadable, StorageError
from storage.latch import ALL, UNREADABLE, Latch, LatchFile, holding, verdict

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)
ROOT = Path(__file__).parents[3]
WHO = ("ann", "irc", "too loud")

MALFORMED = [
    "",
    "{}",
    "[]",
    "null",
    "[1]",
    "not json",
    (
        '[{"scope": "captain", "killed": false, "by": "", "door": "", "reason": "", '
        '"changed_at": "2026-11-20T12:00:00+00:00"}]'
    ),
    (
        '[{"scope": "all", "killed": "no", "by": "", "door": "", "reason": "", '
        '"changed_at": "2026-11-20T12:00:00+00:00"}]'
    ),
    (
        '[{"scope": "all", "killed": false, "by": "", "door": "", "reason": "", '
        '"changed_at": "2026-11-20T12:00:00"}]'
    ),
    '[{"scope": "all", "killed": false, "by": "", "door": "", "reason": ""}]',
    '[{"scope": "all", "killed": false, "by": "", "door": "", "reason": "", "changed_at": 7}]',
]


@pytest.fixture
def latch(tmp_path: Path) -> LatchFile:
    file = LatchFile(tmp_path / "latch.json", lock_wait_s=0.05)
    file.create()
    return file


def test_a_new_latch_is_clear_private_and_made_once(latch: LatchFile) -> None:
    assert latch.killed("captain") is None
    assert latch.path.stat().st_mode & 0o777 == 0o600
    latch.kill(ALL, *WHO, NOON)
    latch.create()
    assert latch.killed("captain") is not None


def test_a_kill_holds_until_it_is_resumed(latch: LatchFile) -> None:
    assert latch.kill(ALL, *WHO, NOON) is True
    assert latch.kill(ALL, "bob", "http", "again", LATER) is False
    assert latch.killed("captain") == Latch(ALL, True, "ann", "irc", "too loud", NOON)
    assert latch.resume(ALL, "bob", "http", "calm again", LATER) is True
    assert latch.resume(ALL, "bob", "http", "calm again", LATER) is False
    assert latch.killed("captain") is None
    assert latch.read()[ALL] == Latch(ALL, False, "bob", "http", "calm again", LATER)


def test_one_agent_is_killed_and_resumed_alone(latch: LatchFile) -> None:
    latch.kill("captain", *WHO, NOON)
    assert latch.killed("captain") is not None
    assert latch.killed("auditor") is None
    assert latch.killed(ALL) is None
    latch.kill(ALL, *WHO, NOON)
    latch.resume("captain", *WHO, LATER)
    assert latch.killed("captain") is not None


def test_resuming_all_resumes_each(latch: LatchFile) -> None:
    latch.kill("captain", *WHO, NOON)
    assert latch.resume(ALL, *WHO, LATER) is True
    assert latch.killed("captain") is None


@pytest.mark.parametrize("content", MALFORMED)
def test_what_makes_no_sense_counts_as_killed(latch: LatchFile, content: str) -> None:
    latch.path.write_text(content)
    with pytest.raises(LatchUnreadable, match="cannot be read"):
        latch.read()
    assert latch.killed("captain") is UNREADABLE
    assert "unreadable latch" in UNREADABLE.reason


@pytest.mark.parametrize("content", [*MALFORMED, None])
def test_a_kill_works_whatever_was_there_and_frees_nobody(
    latch: LatchFile, content: str | None
) -> None:
    if content is None:
        latch.path.unlink()
    else:
        latch.path.write_text(content)
    assert latch.kill("captain", *WHO, NOON) is True
    assert latch.read()["captain"].by == "ann"
    assert latch.killed("auditor") is not None
    assert latch.resume(ALL, *WHO, LATER) is True
    assert latch.killed("auditor") is None


def test_bytes_that_are_no_text_and_folders_count_as_killed(tmp_path: Path) -> None:
    file = LatchFile(tmp_path / "latch.json")
    file.path.write_bytes(b"\xff\xfe[]")
    assert file.killed("captain") is UNREADABLE
    file.path.unlink()
    file.path.mkdir()
    assert file.killed("captain") is UNREADABLE


def test_a_kill_of_all_over_nonsense_is_that_persons_kill(latch: LatchFile) -> None:
    latch.path.write_text("nonsense")
    assert latch.kill(ALL, *WHO, NOON) is True
    assert latch.killed("captain") == Latch(ALL, True, "ann", "irc", "too loud", NOON)


def test_a_stopped_process_that_holds_the_lock_stops_no_kill(latch: LatchFile) -> None:
    handle = os.open(f"{latch.path}.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    began_s = time.monotonic()
    assert latch.kill(ALL, *WHO, NOON) is True
    assert time.monotonic() - began_s < 1
    with pytest.raises(StorageError, match="locked"):
        latch.resume(ALL, *WHO, LATER)
    assert latch.killed("captain") is not None
    os.close(handle)


def test_a_full_disk_stops_no_kill(latch: LatchFile) -> None:
    """The child may not let any file grow; its kill removes the latch, which kills everything."""
    script = f"""
import resource
from datetime import datetime, UTC
from pathlib import Path
from storage.errors import StorageError
from storage.latch import LatchFile
file = LatchFile(Path({str(latch.path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
now = datetime.now(UTC)
file.kill("captain", "ann", "irc", "x", now)
try:
    file.resume("all", "ann", "irc", "x", now)
except StorageError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    assert "cannot be written" in done.stdout
    assert latch.killed("captain") is UNREADABLE
    assert not list(latch.path.parent.glob("*.new"))


def test_many_doors_at_once_lose_no_kill_and_no_reader_sees_half(latch: LatchFile) -> None:
    file = LatchFile(latch.path, lock_wait_s=10)
    done = threading.Event()
    unreadable: list[Latch] = []

    def watch() -> None:
        while not done.is_set():
            if latch.killed("nobody") is UNREADABLE:
                unreadable.append(UNREADABLE)

    def kill(number: int) -> None:
        for part in range(10):
            file.kill(f"agent-{number}-{part}", *WHO, NOON)

    doors = [threading.Thread(target=kill, args=(number,)) for number in range(4)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *doors):
        thread.start()
    for thread in doors:
        thread.join()
    done.set()
    watcher.join()
    assert unreadable == []
    assert len([one for one in latch.read().values() if one.killed]) == 40


LATCHES = st.dictionaries(
    st.sampled_from([ALL, "captain", "auditor"]),
    st.booleans().map(lambda killed: Latch("x", killed, *WHO, NOON)),
)


@given(st.none() | LATCHES, st.none() | LATCHES, st.sampled_from(["captain", "auditor"]))
def test_either_one_kills(
    file: dict[str, Latch] | None, rows: dict[str, Latch] | None, agent: str
) -> None:
    expected = file is None or any(
        source.get(scope) is not None and source[scope].killed
        for source in (file, rows or {})
        for scope in (ALL, agent)
    )
    assert (verdict(file, rows, agent) is not None) is expected


@given(LATCHES)
def test_no_latch_holds_nobody(latches: dict[str, Latch]) -> None:
    assert holding({}, "captain") is None
    clear = {scope: one for scope, one in latches.items() if not one.killed}
    assert holding(clear, "captain") is None
