"""What a socket read outlives the process that read it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.hearing.journal import Journal
from storage.record import NewLine, Owed

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def line(text: str) -> NewLine:
    return NewLine(
        network="irc",
        channel="#lobby",
        sender="alice",
        kind="said",
        text=text,
        said_at=NOW,
        heard_at=NOW,
        heard_by="auditor",
        trace_id="t",
        owed=(Owed("secretary", "irc:#lobby", 30),),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auditor.jsonl"


def test_lines_come_back_as_they_were_with_the_mark_before_them(path: Path) -> None:
    journal = Journal(path)
    journal.mark("irc:#lobby", 7)
    for text in ("hello", "hello", "caf\u00e9 \u2028 \ufffd"):
        journal.add(line(text))
    journal.mark("irc:#lobby", 9)
    left = Journal(path).left()
    assert left.lines == [line("hello"), line("hello"), line("caf\u00e9 \u2028 \ufffd")]
    assert left.marks == {"irc:#lobby": 7}


def test_what_is_stored_is_forgotten(path: Path) -> None:
    journal = Journal(path)
    journal.add(line("hello"))
    journal.start_anew({"irc:#lobby": 12})
    journal.start_anew({"irc:#lobby": 13})
    left = journal.left()
    assert (left.lines, left.marks) == ([], {"irc:#lobby": 12})


def test_a_half_line_of_a_crash_spoils_only_itself(path: Path) -> None:
    Journal(path).add(line("whole"))
    with path.open("ab") as file:
        file.write(b'{"line": {"network": "irc", "chan')
    journal = Journal(path)
    journal.add(line("after"))
    assert [one.text for one in journal.left().lines] == ["whole", "after"]


def test_only_its_owner_reads_it(path: Path) -> None:
    Journal(path)
    assert path.stat().st_mode & 0o077 == 0


def test_what_is_kept_stands_behind_its_mark(path: Path) -> None:
    journal = Journal(path)
    journal.add(line("stored"))
    journal.add(line("young"))
    journal.start_anew({"irc:#lobby": 5}, [line("young")])
    left = journal.left()
    assert ([one.text for one in left.lines], left.marks) == (["young"], {"irc:#lobby": 5})
    journal.start_anew({"irc:#lobby": 9})
    assert journal.left().lines == []
