"""Credits move as they are told to, once, and under a permit; both databases keep it so."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from storage import audit, holds, ledger
from storage.acts import Permit
from storage.errors import (
    AlreadyDifferent,
    HoldResolved,
    LedgerRefused,
    NoSuchAccount,
    NoSuchHold,
    PermitRefused,
    TooFewCredits,
)
from storage.ledger_orders import Authorise, Capture, Mint, Pay, Void, act_for
from storage.ledger_values import HoldState
from storage.statements import statement
from storage.store import Store
from tests.integration.storage.banking import NOON, Banking


@pytest.fixture
async def bank(store: Store) -> Banking:
    """alice has a hundred micro-credits."""
    made = Banking(store)
    await made.mint("alice", 100)
    return made


async def test_what_is_minted_is_what_the_treasury_lacks(bank: Banking) -> None:
    assert await bank.balances() == {"alice": 100, "treasury": -100}
    await bank.pay("alice", "bob", 30)
    assert await bank.balances() == {"alice": 70, "bob": 30, "treasury": -100}
    proved = await bank.reconcile()
    assert (proved.minted_microcredits, proved.transfers, proved.findings) == (100, 2, ())


async def test_the_same_id_is_the_same_transfer_and_no_other(bank: Banking) -> None:
    first = await bank.pay("alice", "bob", 30)
    again = await bank.pay("alice", "bob", 30)
    assert (again.id, again.audit_hash) == (first.id, first.audit_hash)
    assert (await bank.mint("alice", 100)).code == "m"
    with pytest.raises(AlreadyDifferent):
        await bank.pay("alice", "bob", 31)
    with pytest.raises(AlreadyDifferent):
        await bank.pay("alice", "carol", 30)
    with pytest.raises(AlreadyDifferent):
        await bank.mint("alice", 30, "p")
    assert (await bank.balances())["alice"] == 70


async def test_nobody_pays_what_he_has_not(bank: Banking) -> None:
    with pytest.raises(TooFewCredits, match="has 100 micro-credits, 101 are needed"):
        await bank.pay("alice", "bob", 101)
    with pytest.raises(TooFewCredits):
        await bank.authorise("alice", "bob", 101)
    with pytest.raises(NoSuchAccount):
        await bank.pay("carol", "bob", 1)
    with pytest.raises(NoSuchAccount):
        await bank.authorise("carol", "bob", 1)
    assert await bank.balances() == {"alice": 100, "treasury": -100}, "nothing is left behind"


async def test_a_hold_is_captured_in_parts_with_a_fee_and_the_rest_voided(bank: Banking) -> None:
    hold = await bank.authorise("alice", "bob", 60)
    assert (hold.left_microcredits, hold.state) == (60, HoldState.HELD)
    assert await bank.balances() == {"alice": 40, "bob": 0, "escrow": 60, "treasury": -100}
    await bank.capture("alice", "h", 20, "c1")
    hold = await bank.capture("alice", "h", 10, "c2", fee=1)
    assert (hold.captured_microcredits, hold.fees_microcredits, hold.left_microcredits) == (
        29,
        1,
        30,
    )
    hold = await bank.void("alice", "h")
    assert hold.state == HoldState.SPLIT
    assert await bank.void("alice", "h") == hold, "once more changes nothing"
    assert await bank.balances() == {
        "alice": 70,
        "bob": 29,
        "escrow": 0,
        "fees": 1,
        "treasury": -100,
    }
    assert (await bank.reconcile()).findings == ()


async def test_a_hold_resolves_once(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 60)
    with pytest.raises(HoldResolved, match="60 micro-credits left"):
        await bank.capture("alice", "h", 61)
    whole = await bank.capture("alice", "h", 60)
    assert whole.state == HoldState.CAPTURED
    assert await bank.capture("alice", "h", 60) == whole, "the same capture is the same"
    with pytest.raises(HoldResolved):
        await bank.capture("alice", "h", 1, "c2")
    with pytest.raises(HoldResolved):
        await bank.void("alice", "h")
    for other, fee in ((59, 0), (60, 1), (61, 1)):
        with pytest.raises(AlreadyDifferent):
            await bank.capture("alice", "h", other, fee=fee)
    await bank.authorise("alice", "bob", 10, "h2")
    assert (await bank.void("bob", "h2")).state == HoldState.VOIDED
    with pytest.raises(HoldResolved):
        await bank.capture("alice", "h2", 10, "c3")
    with pytest.raises(NoSuchHold):
        await bank.void("alice", "h3")


async def test_a_hold_authorised_again_is_the_same_hold(bank: Banking) -> None:
    first = await bank.authorise("alice", "bob", 60)
    await bank.capture("alice", "h", 10)
    again = await bank.authorise("alice", "bob", 60, within_s=600)
    assert (again.id, again.deadline, again.left_microcredits) == (first.id, first.deadline, 50)
    for payee, sum_ in (("bob", 61), ("carol", 60)):
        with pytest.raises(AlreadyDifferent):
            await bank.authorise("alice", payee, sum_)
    with pytest.raises(LedgerRefused, match="two parties"):
        await bank.authorise("alice", "alice", 5, "h2")
    with pytest.raises(LedgerRefused, match="lies ahead"):
        await bank.authorise("alice", "bob", 5, "h2", within_s=0)


async def test_what_was_captured_can_be_refunded_and_no_more(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 60)
    with pytest.raises(HoldResolved, match="of h 0"):
        await bank.refund("bob", "h", 1)
    await bank.capture("alice", "h", 50, fee=5)
    await bank.refund("bob", "h", 40, "r1")
    await bank.refund("bob", "h", 40, "r1")
    with pytest.raises(HoldResolved, match="of h 5"):
        await bank.refund("bob", "h", 6, "r2")
    await bank.pay("bob", "carol", 5)
    with pytest.raises(TooFewCredits):
        await bank.refund("bob", "h", 5, "r2")
    assert (await bank.balances())["alice"] == 80
    assert (await bank.reconcile()).findings == ()


async def test_the_sweep_gives_back_what_is_overdue(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 10, "soon", within_s=10)
    await bank.authorise("alice", "bob", 20, "later", within_s=20)
    await bank.capture("alice", "soon", 4)
    bank.now = NOON + timedelta(seconds=10)
    with pytest.raises(HoldResolved, match="deadline of soon"):
        await bank.capture("alice", "soon", 1, "c2")
    with pytest.raises(PermitRefused, match="operators' processes"):
        await bank.of("bob").sweep(trace_id="t")
    swept = await bank.sweep()
    assert [(hold.code, hold.state) for hold in swept] == [("soon", HoldState.SPLIT)]
    assert await bank.sweep() == []
    assert await bank.balances() == {"alice": 76, "bob": 4, "escrow": 20, "treasury": -100}


async def test_of_many_who_capture_at_once_as_many_get_something_as_there_is(
    bank: Banking,
) -> None:
    await bank.authorise("alice", "bob", 50)
    codes = [f"c{number}" for number in range(6)]
    captures = [bank.capture("alice", "h", 20, code) for code in (*codes, *codes)]
    done = await asyncio.gather(*captures, return_exceptions=True)
    resolved = [one for one in done if isinstance(one, HoldResolved)]
    assert len(resolved) == len([one for one in done if isinstance(one, BaseException)])
    assert await bank.balances() == {"alice": 50, "bob": 40, "escrow": 10, "treasury": -100}
    assert (await bank.reconcile()).findings == ()


async def test_a_statement_tells_each_movement_with_its_other_side(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 60)
    await bank.capture("alice", "h", 60, fee=6)
    lines = await bank.store.read(lambda unit: statement(unit, "agent:alice"))
    assert [(x.kind, x.other, x.amount_microcredits, x.balance_microcredits) for x in lines] == [
        ("mint", "treasury", 100, 100),
        ("hold", "escrow", -60, 40),
    ]
    [last] = await bank.store.read(lambda unit: statement(unit, "agent:bob", 1))
    assert (last.hold, last.balance_microcredits, last.agent, last.at) == ("h", 54, "alice", NOON)
    assert await bank.store.read(lambda unit: statement(unit, "agent:nobody")) == []


# --- permits --------------------------------------------------------------------------------------


async def test_a_permit_moves_what_it_names_and_nothing_else(bank: Banking) -> None:
    allowed = Pay(code="p", payer="agent:alice", payee="agent:bob", microcredits=5)
    act = act_for(allowed, agent="alice", reason="a test", trace_id="t")
    permit = await bank.guard.permit(act)

    async def pay(order: Pay, permit: Permit, after_s: float = 0) -> None:
        async with bank.store.writing(durable=True) as unit:
            now_s = time.monotonic() + after_s
            await ledger.pay(unit, permit, order, now=NOON, now_s=now_s)

    for other in ({"microcredits": 50}, {"code": "q"}, {"payer": "agent:carol"}):
        with pytest.raises(PermitRefused, match="says otherwise of"):
            await pay(replace(allowed, **other), permit)
    with pytest.raises(PermitRefused, match="not for pay account:agent:carol"):
        await pay(replace(allowed, payee="agent:carol"), permit)
    with pytest.raises(PermitRefused, match="stale"):
        await pay(allowed, permit, after_s=3600)
    with pytest.raises(PermitRefused, match="bob may not spend what is in agent:alice"):
        await pay(allowed, replace(permit, act=replace(act, agent="bob")))
    await pay(allowed, permit)
    assert (await bank.balances())["bob"] == 5


async def test_agents_mint_nothing_and_do_not_judge_their_own_work(bank: Banking) -> None:
    mint = Mint(code="x", account="agent:alice", microcredits=5, operator="alice")
    with pytest.raises(PermitRefused, match="treasury alone"):
        await bank.of("alice").mint(mint, reason="greed", trace_id="t")
    with pytest.raises(PermitRefused, match="treasury alone"):
        await bank.of("supervisor").mint(replace(mint, operator=""), reason="", trace_id="t")
    await bank.authorise("alice", "bob", 60)
    for stranger in ("bob", "carol", "validator"):
        with pytest.raises(PermitRefused, match="does not decide"):
            await bank.capture(stranger, "h", 60)
    with pytest.raises(PermitRefused, match="does not decide"):
        await bank.void("carol", "h")
    with pytest.raises(PermitRefused, match="may not spend"):
        await bank.refund("alice", "h", 1)
    refused = await bank.store.read(lambda unit: audit.entries(unit, "alice", verb="mint"))
    assert refused == [], "what fails leaves no permit behind"


async def test_an_arbiter_decides_where_the_two_do_not_agree(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 60, arbiter="validator")
    await bank.capture("validator", "h", 20)
    hold = await bank.void("validator", "h")
    assert (hold.state, hold.arbiter) == (HoldState.SPLIT, "validator")
    with pytest.raises(LedgerRefused, match="arbiter is neither"):
        await bank.authorise("alice", "bob", 5, "h2", arbiter="bob")


async def test_for_a_person_an_agent_acts_that_is_not_the_other_side(bank: Banking) -> None:
    person = "person:discord:user:45"
    mint = Mint(code="x", account=person, microcredits=50, operator="alice")
    await bank.of("supervisor").mint(mint, reason="a start", trace_id="t")
    until = NOON + timedelta(hours=1)
    order = Authorise(code="d", payer=person, payee="agent:bob", microcredits=9, deadline=until)
    await bank.of("captain").authorise(order, reason="/market take", trace_id="t")
    with pytest.raises(PermitRefused, match="does not decide"):
        await bank.capture("bob", "d", 9)
    await bank.capture("captain", "d", 9)
    assert (await bank.balances())["bob"] == 9


async def test_credits_move_in_durable_transactions_only(bank: Banking) -> None:
    order = Void(hold="h")
    permit = await bank.guard.permit(act_for(order, agent="alice", reason="", trace_id="t"))
    with pytest.raises(LedgerRefused, match="durable"):
        async with bank.store.writing() as unit:
            await holds.void(unit, permit, order, now=NOON, now_s=time.monotonic())


@pytest.mark.parametrize("sum_", [0, -1, 10**15 + 1, 1.5, 1.0, True, float("nan"), "5", None])
def test_a_sum_is_a_whole_number_of_micro_credits(sum_: object) -> None:
    with pytest.raises(LedgerRefused):
        Pay(code="p", payer="agent:a", payee="agent:b", microcredits=sum_)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["alice", "agent:", "escrow", "treasury", "agent:a b", "x:y", ""])
def test_an_account_says_whose_it_is(name: str) -> None:
    with pytest.raises(LedgerRefused):
        Pay(code="p", payer=name, payee="agent:b", microcredits=1)


def test_ids_and_fees_are_looked_at_too() -> None:
    for code in ("", "a/b", "-a", "a b", "a" * 101):
        with pytest.raises(LedgerRefused):
            Void(hold=code)
    with pytest.raises(LedgerRefused, match="less than"):
        Capture(code="c", hold="h", microcredits=5, fee_microcredits=5)
