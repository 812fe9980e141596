"""Who keeps the master key elsewhere gets the packages for it, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

import run
from bots.keys import aws, vault

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[keys]\nmaster = "vault:secret/parley#key"', ["requirements-vault.txt"]),
        ('[keys]\nmaster = "aws:parley/master"', ["requirements-aws.txt"]),
        ('[keys]\nmaster = "file:master"', []),
        ("[keys]\nmaster = 7", []),
        ("keys = 3", []),
        ("[[[", []),
    ],
)
def test_which_command_wants_which(tmp_path: Path, text: str, wanted: list[str]) -> None:
    config = tmp_path / "swarm.toml"
    config.write_text(text)
    named = ["--config", str(config)]
    assert run.extra(["up", *named]) == wanted
    assert run.extra(["keys", "rotate", "captain", *named]) == wanted
    for words in (["keys", "revoke", "captain"], ["keys", "list"], ["keys"], ["status"]):
        assert run.extra([*words, *named]) == [], "what needs no master key waits for nothing"


@pytest.mark.parametrize("install", [vault.INSTALL, aws.INSTALL])
def test_what_is_said_to_install_is_there_and_pinned(install: str) -> None:
    pinned = ROOT / install.rpartition(" ")[2]
    text = pinned.read_text()
    assert "--hash=sha256:" in text
    ours = dict(run.pins(["requirements.txt"]))
    theirs = dict(run.pins([pinned.name]))
    assert {n: v for n, v in theirs.items() if n in ours and ours[n] != v} == {}
