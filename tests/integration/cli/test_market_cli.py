"""`run.py market` mints at the operator's word, tells what an account has, and proves the sums."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.cli.app import main
from bots.cli.person import person
from bots.state import StateFolder
from storage import audit
from storage.latch import LatchFile
from storage.store import Store
from storage.tables import AuditEntry
from tests.integration.storage.banking import Banking
from tests.schema import give_schema

SWARM = """\
[[agents]]
name = "captain"
role = "captain"
may_delegate_to = ["all"]
[[agents]]
name = "buyer"
role = "buyer"
[[channels]]
name = "#market"
everybody = true
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "swarm.toml"
    path.write_text(SWARM)
    return path


@pytest.fixture
def used(config: Path) -> Path:
    """A swarm that has run here before."""
    state = state_of(config)
    state.create()
    LatchFile(state.latch).create()

    async def make() -> None:
        store = await Store.open(f"sqlite:///{state.database}")
        await give_schema(store)
        await store.close()

    asyncio.run(make())
    return config


def state_of(config: Path) -> StateFolder:
    return StateFolder(config.parent / ".parley")


def market(config: Path, command: str, *words: str) -> int:
    return main(["market", command, "--config", str(config), *words])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_is_minted_is_in_the_statement_and_in_the_audit(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("captain", "2.50", "--reason", "a start", "--id", "first")
    assert market(used, "mint", *words) == 0
    assert capsys.readouterr().out == "first: minted 2.50 for agent:captain, which has 2.50 now.\n"
    assert market(used, "mint", *words, "--json") == 0
    assert told(capsys)["balance_microcredits"] == 2_500_000, "the same id mints once"
    assert market(used, "mint", "person:discord:user:45", "1,000.5", "--reason", "prize") == 0
    assert "has 1000.50 now" in capsys.readouterr().out

    assert market(used, "statement", "captain") == 0
    out = capsys.readouterr().out
    assert "mint" in out
    assert "a start" in out
    assert market(used, "statement", "treasury", "--json") == 0
    treasury = told(capsys)
    assert treasury["balance_microcredits"] == -1_003_000_000
    assert [line["other"] for line in treasury["lines"]] == [
        "agent:captain",
        "person:discord:user:45",
    ]
    assert market(used, "statement", "buyer") == 0
    assert "Nothing was ever moved" in capsys.readouterr().err

    async def audited() -> list[AuditEntry]:
        store = await Store.open(f"sqlite:///{state_of(used).database}")
        try:
            assert await store.read(lambda unit: audit.verify(unit, "supervisor")) is None
            return await store.read(lambda unit: audit.entries(unit, verb="mint"))
        finally:
            await store.close()

    first = asyncio.run(audited())[0]
    assert (first.agent, first.target, first.reason) == (
        "supervisor",
        "account:agent:captain",
        "a start",
    )
    assert json.loads(first.details)["operator"] == person()


def test_the_sums_are_proved_and_a_forged_one_ends_with_1(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market(used, "mint", "captain", "5", "--reason", "a start")
    capsys.readouterr()
    assert market(used, "reconcile") == 0
    assert "5.00 credits minted, 0.00 of them in escrow.\nEvery sum" in capsys.readouterr().out
    with closing(sqlite3.connect(state_of(used).database)) as database:
        database.execute("DROP TRIGGER entry_before_update")
        database.execute("UPDATE entry SET balance_microcredits = 9e6 WHERE account LIKE 'agent%'")
        database.commit()
    assert market(used, "reconcile") == 1
    said = capsys.readouterr()
    assert "WRONG: agent:captain has an entry that does not follow" in said.out
    assert "wrong in 2 places" in said.err
    assert market(used, "reconcile", "--json") == 1
    assert (
        "all accounts together should have 0 micro-credits, not 4000000" in told(capsys)["findings"]
    )


def test_what_is_overdue_goes_back(used: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def hold() -> None:
        store = await Store.open(f"sqlite:///{state_of(used).database}")
        bank = Banking(store, datetime.now(UTC) - timedelta(hours=1))
        await bank.mint("captain", 3_000_000)
        await bank.authorise("captain", "buyer", 2_000_000, "deal-7")
        await store.close()

    asyncio.run(hold())
    assert market(used, "sweep") == 0
    assert capsys.readouterr().out == "deal-7: 2.00 back to agent:captain.\n"
    assert market(used, "sweep", "--json") == 0
    assert told(capsys) == []


def test_killed_nothing_moves_and_everything_is_told(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    LatchFile(state_of(used).latch).kill("all", "alice", "irc", "a loop", datetime.now(UTC))
    assert market(used, "mint", "captain", "5", "--reason", "x") == 4
    assert "killed by alice" in capsys.readouterr().err
    assert market(used, "sweep") == 4
    assert market(used, "statement", "captain") == 0
    assert market(used, "reconcile") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mint", "captain", "five", "--reason", "x"), "in digits"),
        (("mint", "captain", "0", "--reason", "x"), "above zero"),
        (("mint", "captain", "NaN", "--reason", "x"), "in digits"),
        (("mint", "captain", "5", "--reason", " "), "needs a reason"),
        (("mint", "captain", "5"), "--reason"),
        (("mint", "captian", "5", "--reason", "x"), "captain"),
        (("mint", "treasury", "5", "--reason", "x"), "treasury"),
        (("mint", "robot:x", "5", "--reason", "x"), "agent:NAME or person:ADDRESS"),
        (("mint", "captain", "5", "--reason", "x", "--id", "a b"), "an id is"),
        (("statement", "robot:x"), "agent:NAME or person:ADDRESS"),
    ],
)
def test_what_is_not_understood_is_told(
    used: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert market(used, *words) == 2
    assert said in capsys.readouterr().err


def test_an_id_that_was_something_else_is_refused(
    used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert market(used, "mint", "captain", "5", "--reason", "x", "--id", "a") == 0
    assert market(used, "mint", "captain", "6", "--reason", "x", "--id", "a") == 1
    assert "another transfer a" in capsys.readouterr().err


def test_where_no_swarm_has_run_there_are_no_credits(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert market(config, "reconcile") == 3
    assert "`run.py up` first" in capsys.readouterr().err
