"""The state folder is private, and what the supervisor says of itself is read back whole."""

from __future__ import annotations

import stat
from pathlib import Path

from bots.state import StateFolder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_create_closes_the_folder_to_others(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    folder = StateFolder(tmp_path / "state")
    folder.create()
    folder.create()
    for path in (folder.path, folder.logs, folder.secrets, folder.nats):
        assert _mode(path) == 0o700


def test_supervisor_facts_come_back_and_are_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    assert folder.read_supervisor() is None
    facts = {"pid": 7, "control_url": "http://127.0.0.1:1", "irc": {"host": "127.0.0.1", "port": 2}}
    folder.write_supervisor(facts)
    folder.write_supervisor(facts)
    assert folder.read_supervisor() == facts
    assert _mode(folder.supervisor) == 0o600
    assert [p.name for p in folder.path.iterdir() if p.is_file()] == ["supervisor.json"]
    folder.forget_supervisor()
    folder.forget_supervisor()
    assert folder.read_supervisor() is None


def test_half_a_supervisor_file_counts_as_none(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.supervisor.write_text('{"pid": 7, "contr')
    assert folder.read_supervisor() is None
    folder.supervisor.write_text("[1]")
    assert folder.read_supervisor() is None


def test_each_process_has_its_own_log(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert folder.log_of("captain") == tmp_path / "logs" / "captain.log"


def test_a_folder_keeps_its_identity_and_shares_it_with_no_other(tmp_path: Path) -> None:
    one, other = StateFolder(tmp_path / "one"), StateFolder(tmp_path / "other")
    for folder in (one, other):
        folder.create()
    assert one.identity() == StateFolder(one.path).identity() != other.identity()


def test_the_irc_port_is_remembered(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.create()
    assert state.last_irc_port() == 0
    state.remember_irc_port(45781)
    assert state.last_irc_port() == 45781
