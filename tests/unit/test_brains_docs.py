"""What docs/BRAINS.md tells people to paste works when pasted, and says what the code says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.agent.brains import described
from bots.settings import Settings, load
from brain.models.breaking import BREAKER
from brain.models.capabilities import capabilities_of
from brain.models.retrying import PATIENT
from brain.wallet.prices import Prices

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "BRAINS.md").read_text(encoding="utf-8")
SHIPPED = (ROOT / "swarm.toml").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
#: the first model of a block, as its test is called
NAMES = [(re.findall(r"^\[+([\w.]+)", block, re.MULTILINE) or ["?"])[0] for block in BLOCKS]
WHOLE_SWARM = [block for block in BLOCKS if "[defaults]" in block]
NOW = datetime.now(UTC)


def pasted(folder: Path, block: str) -> Settings:
    """The shipped swarm with this block at its end, as the page says."""
    path = folder / "swarm.toml"
    path.write_text(f"{SHIPPED}\n{block}")
    return load(path)


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_every_block_can_be_pasted_at_the_end_of_the_shipped_file(
    tmp_path: Path, block: str
) -> None:
    settings = pasted(tmp_path, block)
    for name, model in settings.models.items():
        spec = described(name, model, {})
        Prices().tariff_of(spec, NOW)  # raises when nobody knows what it costs
        assert capabilities_of(spec).context_tokens >= 4096


@pytest.mark.parametrize("block", WHOLE_SWARM, ids=lambda b: b.splitlines()[0])
def test_one_edit_moves_every_agent_and_leaves_it_an_answer_without_money(
    tmp_path: Path, block: str
) -> None:
    settings = pasted(tmp_path, block)
    (name,) = settings.models
    assert len(settings.agents) == 8
    assert {(a.brain, a.fallback) for a in settings.agents} == {(name, ("offline",))}


def test_every_kind_of_provider_has_a_block() -> None:
    shown = set(re.findall(r'^provider = "(\w+)"', "".join(WHOLE_SWARM), re.MULTILINE))
    assert shown == {"anthropic", "openai", "compatible", "local"}


def test_what_an_agent_says_itself_goes_before_the_defaults(tmp_path: Path) -> None:
    own = '[[agents]]\nname = "quiet"\nrole = "r"\nbrain = "offline"\nfallback = []\n'
    settings = pasted(tmp_path, WHOLE_SWARM[0] + own)
    quiet = settings.agent("quiet")
    assert (quiet.brain, quiet.fallback) == ("offline", ())
    assert settings.agent("captain").brain == "claude"


def test_the_example_in_the_shipped_file_works_once_its_marks_are_taken_away(
    tmp_path: Path,
) -> None:
    marked = SHIPPED.partition("# --- Brains ")[2].partition("# --- Agents ")[0]
    lines = marked.partition("\n\n")[2].splitlines()
    assert all(line.startswith("#") for line in lines if line)
    settings = pasted(tmp_path, "\n".join(line.removeprefix("#").strip() for line in lines))
    assert {a.brain for a in settings.agents} == {"claude"}
    assert settings.budget.usd_per_day == 2


def test_the_shipped_swarm_needs_no_model() -> None:
    settings = load(ROOT / "swarm.toml")
    assert settings.models == {}
    assert {a.brain for a in settings.agents} == {"offline"}


def test_no_block_and_no_line_holds_a_key() -> None:
    assert not re.search(r"sk-[A-Za-z0-9]{8}", DOC + SHIPPED)


def test_the_figures_are_those_of_the_code() -> None:
    settings = load(ROOT / "swarm.toml")
    words = " ".join(DOC.split())
    assert PATIENT.attempts == 4
    assert "tried again up to three times" in words
    assert (BREAKER.threshold, BREAKER.open_s, BREAKER.login_open_s) == (5, 60, 30)
    assert "fails five times in a row** is left alone for 60 s" in words
    assert "at once, for 30 s" in words
    assert (settings.heartbeat.every_s, settings.heartbeat.proactive_every_s) == (300, 1800)
    assert settings.agents[0].budget.usd_per_day == 1
    assert "its `usd_per_day` is **1 dollar** unless given" in words


@pytest.mark.parametrize(
    "path", re.findall(r"^\| `([\w/]+\.md)`", DOC, re.MULTILINE), ids=lambda p: p
)
def test_the_prompts_it_names_are_there(path: str) -> None:
    folder, _, name = path.rpartition("/")
    found = list((ROOT / "prompts" / folder).glob("*.md" if name == "NAME.md" else name))
    assert found
