"""The ledger against a model of a few dictionaries: whatever is asked, in whatever order, both say
the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from storage.errors import LedgerRefused
from storage.holds import find
from storage.ledger_values import HoldState
from storage.store import Store
from tests.integration.storage.banking import Banking
from tests.schema import give_schema

T = TypeVar("T")

AGENTS = ("ada", "bob", "cy")
agents = st.sampled_from(AGENTS)
sums = st.integers(1, 40)


class LedgerMachine(RuleBasedStateMachine):
    """`has` is who has what; a hold is what is left of it and what may be refunded."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.store = Store(f"sqlite:///{Path(self.folder.name, 'parley.db')}")
        self.run(give_schema(self.store))
        self.bank = Banking(self.store)
        self.has = dict.fromkeys((*AGENTS, "fees", "escrow"), 0)
        self.minted = 0
        self.made = 0
        self.known: dict[str, dict[str, Any]] = {}
        #: code → what was done under it, to be done once more
        self.done: list[tuple[Any, ...]] = []
        for agent in AGENTS:
            self.mint(agent, 30)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def tried(self, work: Coroutine[Any, Any, Any]) -> bool:
        try:
            self.run(work)
        except LedgerRefused:
            return False
        return True

    def code(self) -> str:
        self.made += 1
        return f"t{self.made}"

    @rule(to=agents, sum_=sums)
    def mint(self, to: str, sum_: int) -> None:
        self.run(self.bank.mint(to, sum_, self.code()))
        self.has[to] += sum_
        self.minted += sum_

    @rule(payer=agents, payee=agents, sum_=sums)
    def pay(self, payer: str, payee: str, sum_: int) -> None:
        may = payer != payee and self.has[payer] >= sum_
        code = self.code()
        if payer == payee:
            return
        assert self.tried(self.bank.pay(payer, payee, sum_, code)) == may
        if may:
            self.has[payer] -= sum_
            self.has[payee] += sum_
            self.done.append((self.bank.pay, payer, payee, sum_, code))

    @rule(target=holds, payer=agents, payee=agents, sum_=sums, within_s=st.integers(1, 300))
    def authorise(self, payer: str, payee: str, sum_: int, within_s: int) -> str:
        code = self.code()
        may = payer != payee and self.has[payer] >= sum_
        assert self.tried(self.bank.authorise(payer, payee, sum_, code, within_s)) == may
        if may:
            self.has[payer] -= sum_
            self.has["escrow"] += sum_
            until = self.bank.now + timedelta(seconds=within_s)
            self.known[code] = {
                "payer": payer,
                "payee": payee,
                "left": sum_,
                "captured": 0,
                "voided": 0,
                "refunded": 0,
                "until": until,
            }
            self.done.append((self.bank.authorise, payer, payee, sum_, code, within_s))
        return code

    @rule(hold=holds, sum_=sums, fee=st.integers(0, 3))
    def capture(self, hold: str, sum_: int, fee: int) -> None:
        fee = fee if fee < sum_ else 0
        one, code = self.known.get(hold), self.code()
        may = one is not None and one["left"] >= sum_ and self.bank.now < one["until"]
        by = one["payer"] if one else "ada"
        assert self.tried(self.bank.capture(by, hold, sum_, code, fee)) == may
        if one is not None and may:
            one["left"] -= sum_
            one["captured"] += sum_ - fee
            self.has["escrow"] -= sum_
            self.has["fees"] += fee
            self.has[one["payee"]] += sum_ - fee
            self.done.append((self.bank.capture, by, hold, sum_, code, fee))

    @rule(hold=holds)
    def void(self, hold: str) -> None:
        one = self.known.get(hold)
        may = one is not None and (one["left"] > 0 or one["voided"] > 0)
        assert self.tried(self.bank.void(one["payee"] if one else "ada", hold)) == may
        if one is not None and may:
            self.voided(one)

    @rule(hold=holds, sum_=sums)
    def refund(self, hold: str, sum_: int) -> None:
        one, code = self.known.get(hold), self.code()
        may = (
            one is not None
            and one["captured"] - one["refunded"] >= sum_
            and self.has[one["payee"]] >= sum_
        )
        by = one["payee"] if one else "ada"
        assert self.tried(self.bank.refund(by, hold, sum_, code)) == may
        if one is not None and may:
            one["refunded"] += sum_
            self.has[by] -= sum_
            self.has[one["payer"]] += sum_
            self.done.append((self.bank.refund, by, hold, sum_, code))

    @rule(wait_s=st.integers(1, 120))
    def time_passes(self, wait_s: int) -> None:
        self.bank.now += timedelta(seconds=wait_s)
        swept = {hold.code for hold in self.run(self.bank.sweep())}
        due = {c for c, one in self.known.items() if one["left"] and one["until"] <= self.bank.now}
        assert swept == due
        for code in due:
            self.voided(self.known[code])

    @rule(data=st.data())
    def once_more(self, data: st.DataObject) -> None:
        """What was done is done again, much later perhaps, and changes nothing."""
        if self.done:
            work, *arguments = data.draw(st.sampled_from(self.done))
            self.run(work(*arguments))

    def voided(self, one: dict[str, Any]) -> None:
        self.has["escrow"] -= one["left"]
        self.has[one["payer"]] += one["left"]
        one["voided"] += one["left"]
        one["left"] = 0

    @invariant()
    def both_say_the_same(self) -> None:
        found = self.run(self.bank.balances())
        assert found.pop("treasury") == -self.minted
        assert self.has == dict.fromkeys(self.has, 0) | found
        assert self.run(self.bank.reconcile()).findings == ()
        for code, one in self.known.items():
            hold = self.run(self.store.read(partial(find, code=code)))
            assert hold is not None
            assert (hold.left_microcredits, hold.captured_microcredits) == (
                one["left"],
                one["captured"],
            )
            assert (hold.state is HoldState.HELD) == (one["left"] > 0)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()


LedgerMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLedgerAgainstItsModel = LedgerMachine.TestCase
