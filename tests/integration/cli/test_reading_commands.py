"""Commands that only read tell of nothing where no swarm has run yet, and make nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.cli.app import main

SWARM = """\
[[agents]]
name = "captain"
role = "captain"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    return path


@pytest.mark.parametrize(
    ("words", "nothing"),
    [
        (("delegations",), ""),
        (("delegations", "--json"), "[]"),
        (("keys", "list", "--json"), "[]"),
        (("report", "expenses", "--json"), '"done": []'),
    ],
)
def test_where_no_swarm_has_run_there_is_nothing_to_read(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], nothing: str
) -> None:
    assert main([*words, "--config", str(config)]) == 0
    assert nothing in capsys.readouterr().out
    assert [path.name for path in config.parent.iterdir()] == ["swarm.toml"]


def test_what_was_never_handed_over_is_not_understood(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["delegations", "D-7k2m9qxa", "--config", str(config)]) == 2
    assert "There is no delegation" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("delegations",), ("keys", "list"), ("report", "expenses"), ("workflow", "status")]
)
def test_a_store_that_cannot_be_read_is_told_without_a_traceback(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    folder = config.parent / ".parley"
    folder.mkdir()
    (folder / "parley.sqlite").write_bytes(b"this is no database" * 99)
    assert main([*words, "--config", str(config)]) == 1
    said = capsys.readouterr().err
    assert "the file is no SQLite database" in said
    assert "Traceback" not in said
