"""What docs/KEYS.md tells people to paste can be pasted, and its numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from bots.cli.keys import keys
from bots.key_settings import KeySettings
from bots.keys.senders import SHORTEST
from bots.settings import Settings, load
from storage.key_life import LIFE, OVERLAP

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "KEYS.md").read_text(encoding="utf-8")
SHIPPED = (ROOT / "swarm.toml").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


def pasted(folder: Path, block: str) -> Settings:
    path = folder / "swarm.toml"
    path.write_text(f"{SHIPPED}\n{block}")
    return load(path)


@pytest.mark.parametrize("block", BLOCKS, ids=["keys", "senders", "vault"])
def test_every_block_can_be_pasted_at_the_end_of_the_shipped_file(
    tmp_path: Path, block: str
) -> None:
    pasted(tmp_path, block)
    # So can what is commented out, once its dots are filled in.
    lines = [re.sub(r"^# (?=\w+ = )", "", line) for line in block.splitlines()]
    pasted(tmp_path, "\n".join(lines).replace("…", "X"))


def test_the_defaults_are_the_codes(tmp_path: Path) -> None:
    assert pasted(tmp_path, BLOCKS[0]).keys == KeySettings()
    assert KeySettings().life == LIFE
    assert KeySettings().overlap == OVERLAP
    assert f"at least {SHORTEST} characters" in DOC


def test_every_verb_is_explained() -> None:
    group = typer.main.get_group(keys)
    assert set(re.findall(r"keys ([a-z]+)\b", DOC)) >= set(group.commands)
