"""Once a month the captain tells the operators what people paid; `run.py report` tells any time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots.cli.app import main
from bots.state import StateFolder
from storage import requests
from storage.request import Approvers, Completion, Decision, NewRequest, RequestKind
from storage.store import Store
from tests.integration.herald.rig import Paper, Swarm
from tests.schema import give_schema

NOVEMBER = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PAYMENT = NewRequest(
    agent="captain",
    kind=RequestKind.PAYMENT,
    subject="GPU hours",
    title="GPU hours",
    currency="EUR",
    cost_micros=12_000_000,
    asked_by="buyer",
    approvers=Approvers(("45",)),
    network="discord",
    channel="#ceo-office",
    expires_at=NOVEMBER + timedelta(days=60),
    trace_id="t1",
)


async def paid(store: Store, at: datetime, micros: int, new: NewRequest = PAYMENT) -> None:
    async with store.writing() as unit:
        asked = await requests.open_one(unit, new, at)
        await requests.decide(unit, asked.id, Decision(approved=True, by="you"), at)
        if micros:
            bill = Completion(by="you", currency="EUR", paid_micros=micros)
            await requests.complete(unit, asked.id, "done", at, bill)


async def test_the_month_that_is_over_is_told_once_and_to_operators_alone(store: Store) -> None:
    irc = Paper("irc", ("#ceo-office",))
    discord = Paper("discord", ("#ceo-office",))
    swarm = Swarm(store, irc, discord)
    await swarm.enrol()
    await swarm.herald.look()
    await paid(store, NOVEMBER, 11_900_000)
    await paid(store, datetime(2026, 12, 1, tzinfo=UTC), 1_000_000)
    for day in (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 3, 8, tzinfo=UTC)):
        assert discord.taken("#ceo-office") == []
        swarm.now = day
        await swarm.herald.look()
    [told] = discord.taken("#ceo-office")
    assert told == (
        "Expenses of 2026-11\n"
        "• 11.90 EUR paid (estimated 12.00 EUR), 1 request\n"
        "• AP-1 payment: GPU hours (buyer): 11.90 EUR paid, 12.00 EUR estimated"
    )
    await swarm.reborn().look()
    assert discord.taken("#ceo-office") == irc.taken("#ceo-office") == []
    # Nothing was paid in January: no word in February.
    swarm.now = datetime(2027, 1, 1, tzinfo=UTC)
    await swarm.herald.look()
    assert "1.00 EUR paid" in discord.taken("#ceo-office")[0]
    swarm.now = datetime(2027, 2, 2, tzinfo=UTC)
    await swarm.herald.look()
    assert discord.taken("#ceo-office") == []


async def fill(folder: Path) -> None:
    state = StateFolder(folder / ".parley")
    state.create()
    store = await Store.open(f"sqlite:///{state.database}")
    await give_schema(store)
    await paid(store, NOVEMBER, 11_900_000)
    await paid(store, NOVEMBER, 0, replace(PAYMENT, subject="more", title="more"))
    await store.close()


def told(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    (folder / "swarm.toml").write_text('[[agents]]\nname = "captain"\nrole = "captain"\n')
    code = main(["report", "expenses", *words, "--config", str(folder / "swarm.toml")])
    out, err = capsys.readouterr()
    return code, out, err


def test_run_py_report_expenses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(tmp_path, capsys, "--month", "2026-11")[1].startswith("Nothing was paid in 2026-11")
    asyncio.run(fill(tmp_path))
    code, out, _ = told(tmp_path, capsys, "--month", "2026-11")
    assert code == 0
    assert out.splitlines() == [
        "11.90 EUR paid (estimated 12.00 EUR), 1 request",
        "AP-1 payment: GPU hours (buyer): 11.90 EUR paid, 12.00 EUR estimated",
        "to be done: AP-2 payment: more (buyer): 12.00 EUR estimated",
    ]
    code, out, _ = told(tmp_path, capsys, "--month", "2026-11", "--json")
    assert json.loads(out)["totals"][0]["paid_micros"] == 11_900_000
    code, _, err = told(tmp_path, capsys, "--month", "November")
    assert (code, err) == (2, "'November' is no month: write it as in 2026-11\n")
