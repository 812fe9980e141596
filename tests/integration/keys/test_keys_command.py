"""`run.py keys` while the swarm is down: in the store itself, under the swarm's lock."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.cli.app import main
from bots.state import StateFolder
from bots.supervisor.folder_lock import lock
from tests.short_logs import log_in_short

SWARM = """
[hooks.senders.github]
may_delegate_to = ["captain"]
[[agents]]
name = "captain"
role = "captain"
"""


class Command:
    """The command line, in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.write("")
        self.out = self.err = ""

    def write(self, keys: str) -> None:
        (self.folder / "swarm.toml").write_text(f"{keys}\n{SWARM}")

    def __call__(self, *words: str) -> int:
        """The exit code; what was printed is in `out` and `err`."""
        self._capsys.readouterr()
        code = main(["keys", *words, "--config", str(self.folder / "swarm.toml")])
        self.out, self.err = self._capsys.readouterr()
        return code

    def listed(self) -> list[dict[str, str]]:
        assert self("list", "--json") == 0
        found: list[dict[str, str]] = json.loads(self.out)
        return found

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.folder / ".parley")


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    before = list(logging.getLogger().handlers)
    yield Command(tmp_path, capsys)
    for handler in [h for h in logging.getLogger().handlers if h not in before]:
        logging.getLogger().removeHandler(handler)
        handler.close()
    log_in_short()


def test_before_the_first_start_there_are_none_and_nothing_is_made(keys: Command) -> None:
    assert keys("list") == 0
    assert "no keys yet" in keys.err
    assert keys.listed() == []
    assert not keys.state.path.exists()


def test_a_database_from_before_there_were_keys_says_so(keys: Command) -> None:
    keys.state.create()
    keys.state.database.touch()
    assert keys("list") == 1
    assert "`run.py up` does it" in keys.err
    assert keys("rotate", "captain") == 0, "who writes brings it up to date first"


def test_a_secret_alone_is_on_standard_output(keys: Command) -> None:
    assert keys("create", "github") == 0
    assert re.fullmatch(r"[\w-]{43}\n", keys.out)
    secret = keys.out.strip()
    [listed] = keys.listed()
    assert (listed["owner"], listed["alg"], listed["state"]) == ("github", "hmac-sha256", "signs")
    assert secret not in keys.out
    assert listed["key_id"].startswith("github-")
    assert keys("list") == 0
    assert secret not in keys.out
    for column in ("github", listed["key_id"], "hmac-sha256", "signs"):
        assert column in keys.out
    assert secret not in keys.state.log_of("supervisor").read_text()
    assert secret.encode() not in keys.state.database.read_bytes()


def test_rotate_and_revoke(keys: Command) -> None:
    assert keys("create", "github", "--json") == 0
    first = json.loads(keys.out)
    assert keys("rotate", "github", "--json") == 0
    second = json.loads(keys.out)
    assert second["secret"] != first["secret"]
    assert {one["key_id"]: one["state"] for one in keys.listed()} == {
        first["key_id"]: "verifies",
        second["key_id"]: "signs",
    }
    assert keys("list") == 0
    assert "verifies until" in keys.out
    assert keys("revoke", first["key_id"], "--reason", "it leaked") == 0
    assert first["key_id"] in keys.out
    assert keys("revoke", first["key_id"]) == 1
    assert "was revoked at" in keys.err
    assert keys("revoke", "github", "--json") == 0
    assert json.loads(keys.out) == {"revoked": [second["key_id"]]}
    assert {one["state"] for one in keys.listed()} == {"revoked"}
    assert keys("list") == 0
    assert "revoked 20" in keys.out


def test_an_agents_key_is_rotated_and_not_shown(keys: Command) -> None:
    assert keys("rotate", "captain", "--json") == 0
    made = json.loads(keys.out)
    assert "secret" not in made
    assert keys("rotate", "captain") == 0
    assert keys.out == ""
    assert "captain signs with captain-" in keys.err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("create", "gitlab"), 1, "[hooks.senders.gitlab]"),
        (("create", "captain"), 1, "by itself"),
        (("rotate", "captian"), 1, "did you mean captain"),
        (("revoke", "k9"), 1, "no key, and no owner"),
        (("reseal",), 2, "--from"),
        (("reseal", "--from", "file:/no/such/file"), 1, "no such file"),
        (("rotate",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_has_a_code_and_a_sentence(
    keys: Command, words: tuple[str, ...], code: int, why: str
) -> None:
    assert keys(*words) == code
    assert why in keys.err
    assert "Traceback" not in keys.err


def test_while_somebody_holds_the_swarms_lock_it_waits_for_nobody(keys: Command) -> None:
    keys.state.create()
    held = lock(keys.state)
    try:
        assert keys("create", "github") == 5
        assert keys("reseal", "--lost") == 5
    finally:
        os.close(held)


def test_another_master_key(keys: Command) -> None:
    """The way of docs/KEYS.md: the old file away, a new one by itself, everything sealed anew."""
    assert keys("create", "github", "--json") == 0
    own = keys.state.secrets / "master.key"
    old = own.rename(keys.folder / "old.key")
    assert keys("reseal", "--from", f"file:{old}", "--json") == 0
    assert json.loads(keys.out) == {"sealed": 1, "revoked": [], "unopened": []}
    assert own.read_text() != old.read_text()
    old.unlink()
    # To a named file, and the one before it is lost.
    own.unlink()
    assert keys("reseal", "--from", f"file:{own}") == 1
    named = keys.folder / "master"
    named.write_text("A" * 43 + "=")
    named.chmod(0o600)
    keys.write('[keys]\nmaster = "file:master"')
    assert keys("reseal", "--lost", "--json") == 0
    assert len(json.loads(keys.out)["revoked"]) == 1
    assert keys("create", "github") == 0


def test_the_master_key_that_others_can_read_is_refused(keys: Command) -> None:
    assert keys("create", "github") == 0
    (keys.state.secrets / "master.key").chmod(0o644)
    assert keys("rotate", "github") == 1
    assert "chmod 600" in keys.err
    # To look, and to revoke, takes no master key.
    assert keys("list") == 0
    assert keys("revoke", "github") == 0
