"""Who goes around the code with SQL is stopped by the database; who takes its locks off is found.

The SQL runs on a connection of its own, on SQLite without foreign keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from storage.store import Store
from tests.integration.storage.banking import Banking

Sql = Callable[[str], list[Any]]

_COLUMNS = (
    "(code, kind, debit, credit, amount_microcredits, hold_id, agent, audit_hash, reason, at, "
    "trace_id)"
)
_REST = "'x', 'x', 'x', '2026-11-20 12:00:00', 't')"
_HOLD = (
    "(code, payer, payee, arbiter, amount_microcredits, held_microcredits, captured_microcredits, "
    "fees_microcredits, voided_microcredits, refunded_microcredits, deadline, opened_at, trace_id)"
)
_THEN = "'2026-11-20 12:00:00', '2026-11-20 12:00:00', 't')"


def transfer(
    kind: str,
    debit: str,
    credit: str,
    sum_: object,
    hold: str = "NULL",
    *,
    code: str = "x",
    how: str = "INSERT",
) -> str:
    return (
        f"{how} INTO transfer {_COLUMNS} VALUES "
        f"('{code}', '{kind}', '{debit}', '{credit}', {sum_}, {hold}, {_REST}"
    )


def hold(*sums: int, payee: str = "agent:bob", how: str = "INSERT", code: str = "h9") -> str:
    figures = ", ".join(map(str, sums))
    return (
        f"{how} INTO hold {_HOLD} VALUES "
        f"('{code}', 'agent:alice', '{payee}', '', {figures}, {_THEN}"
    )


A, B = "agent:alice", "agent:bob"


@pytest.fixture
async def bank(store: Store) -> Banking:
    """alice has 40 and bob 20 micro-credits; hold 1 held 40, 20 are left in it."""
    made = Banking(store)
    await made.mint("alice", 80)
    await made.authorise("alice", "bob", 40)
    await made.capture("alice", "h", 20)
    return made


#: what somebody might try, and what is said about it
ATTEMPTS = {
    "more than there is": (transfer("pay", A, B, 41), "below zero|not_negative"),
    "out of nothing": (transfer("pay", "agent:nobody", B, 1), "no such account"),
    "a sum below zero": (transfer("pay", A, B, -5), "amount|below zero"),
    "to itself": (transfer("pay", A, A, 1), "no such account"),
    "minted by an agent": (transfer("mint", A, B, 1), "ck_transfer_minted"),
    "treasury pays without minting": (transfer("pay", "treasury", B, 1), "ck_transfer_minted"),
    "back into the treasury": (transfer("pay", A, "treasury", 1), "ck_transfer_minted"),
    "escrow pays without a hold": (transfer("pay", "escrow", B, 1), "through_escrow"),
    "captured beyond what is left": (
        transfer("capture", "escrow", B, 21, "1"),
        "within_held|resolves once|below zero",
    ),
    "captured to somebody else": (transfer("capture", "escrow", A, 20, "1"), "what the hold says"),
    "captured from no hold": (transfer("capture", "escrow", B, 1, "7"), "what the hold says"),
    "authorised twice": (
        transfer("hold", A, "escrow", 40, "1"),
        "authorised|transfer.hold_id|held_at_once",
    ),
    "voided to somebody else": (transfer("void", "escrow", B, 20, "1"), "what the hold says"),
    "refunded beyond the capture": (
        transfer("refund", B, A, 21, "1"),
        "below zero|within_captured|resolves once",
    ),
    "the same id": (transfer("pay", A, B, 1, code="h/hold"), "there already"),
    "another kind": (transfer("gift", A, B, 1), "ck_transfer_(kind|of_a_hold)"),
    "a changed transfer": ("UPDATE transfer SET amount_microcredits = 1", "only grows"),
    "a deleted transfer": ("DELETE FROM transfer", "only grows"),
    "a changed entry": ("UPDATE entry SET balance_microcredits = 1000", "only grows"),
    "a deleted entry": ("DELETE FROM entry", "only grows"),
    "an entry of its own": (
        f"INSERT INTO entry VALUES ('{A}', 3, 7, 500, 540)",
        "entries come from transfers",
    ),
    "an entry once more": (
        f"INSERT INTO entry VALUES ('{A}', 3, 1, 80, 120)",
        "entries come from transfers",
    ),
    "a deleted account": ("DELETE FROM account", "only grows"),
    "a renamed account": ("UPDATE account SET name = 'agent:eve'", "only grows"),
    "an account of no kind": (
        "INSERT INTO account VALUES ('agent:eve', 'treasury', '2026-11-20 12:00:00')",
        "named_by_kind",
    ),
    "a capture taken back": ("UPDATE hold SET captured_microcredits = 0", "its transfers say"),
    "a hold widened": ("UPDATE hold SET amount_microcredits = 90", "does not change"),
    "a hold for somebody else": ("UPDATE hold SET payee = 'agent:eve'", "does not change"),
    "a hold cut short": ("UPDATE hold SET deadline = '2000-01-01 00:00:00'", "does not change"),
    "a deleted hold": ("DELETE FROM hold", "only grows"),
    "a hold that holds from the start": (hold(5, 5, 0, 0, 0, 0), "begins empty"),
}
#: SQLite steps over constraints when it is told to, but not over these
ON_SQLITE = {
    "half a micro-credit": transfer("pay", A, B, 1.5),
    "a transfer replaced": transfer("pay", A, B, 1, code="h/hold", how="INSERT OR REPLACE"),
    "an overdraft ignored": transfer("pay", A, B, 41, how="INSERT OR IGNORE"),
    "a double capture ignored": transfer("capture", "escrow", B, 21, "1", how="INSERT OR IGNORE"),
    "a hold replaced": hold(40, 0, 0, 0, 0, 0, how="INSERT OR REPLACE", code="h"),
    "an entry replaced": f"INSERT OR REPLACE INTO entry VALUES ('{A}', 2, 2, -1, 79)",
    "an entry moved": f"INSERT OR REPLACE INTO entry VALUES ('{A}', 3, 1, 80, 120)",
}
ON_POSTGRESQL = {
    **{f"{table} truncated": f"TRUNCATE {table} CASCADE" for table in ("account", "hold", "entry")},
    "a transfer overwritten": transfer("pay", A, B, 1, code="h/hold")
    + " ON CONFLICT (code) DO UPDATE SET amount_microcredits = 1",
}


async def test_the_database_refuses_what_the_code_would_and_says_why(
    bank: Banking, sql: Sql
) -> None:
    before = await bank.balances()
    for what, (statement, words) in ATTEMPTS.items():
        said = _said(sql, statement)
        assert said is not None, what
        assert re.search(words, said), f"{what}: {said}"
    assert await bank.balances() == before
    assert (await bank.reconcile()).findings == ()


async def test_neither_database_is_talked_into_it(bank: Banking, sql: Sql) -> None:
    tricks = ON_SQLITE if bank.store.dialect == "sqlite" else ON_POSTGRESQL
    before = await bank.balances()
    done = [what for what, statement in tricks.items() if _said(sql, statement) is None]
    assert done == []
    assert await bank.balances() == before
    assert (await bank.reconcile()).findings == ()


async def test_a_transfer_by_hand_moves_what_it_says_and_has_no_permit(
    bank: Banking, sql: Sql
) -> None:
    sql(transfer("pay", A, B, 5))
    assert (await bank.balances())["bob"] == 25
    assert (await bank.reconcile()).findings == ("transfer x has no permit in the audit",)


async def test_an_empty_hold_gives_nothing(bank: Banking, sql: Sql) -> None:
    sql(hold(5, 0, 0, 0, 0, 0))
    [(number,)] = sql("SELECT id FROM hold WHERE code = 'h9'")
    said = _said(sql, transfer("capture", "escrow", B, 5, str(number)))
    assert said is not None
    assert (await bank.reconcile()).findings == ()


#: with the locks off → what reconciliation says
CRIMES = (
    ("UPDATE transfer SET amount_microcredits = 90 WHERE code = 'm'", "transfer m has not"),
    ("DELETE FROM entry WHERE account = 'agent:bob'", "transfer c has not its two entries"),
    ("DELETE FROM transfer WHERE code = 'c'", "agent:bob has an entry of no transfer"),
    (
        "UPDATE entry SET balance_microcredits = 99 WHERE account = 'agent:alice' AND seq = 2",
        "agent:alice has an entry that does not follow",
    ),
    ("UPDATE hold SET captured_microcredits = 0", "hold h is not what its transfers say"),
    ("DELETE FROM account WHERE name = 'agent:bob'", "agent:bob has entries and is no account"),
)


@pytest.mark.parametrize(("crime", "finding"), CRIMES)
async def test_what_is_done_with_the_locks_off_is_found(
    bank: Banking, sql: Sql, crime: str, finding: str
) -> None:
    if bank.store.dialect == "sqlite":
        for (name,) in sql("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            sql(f"DROP TRIGGER {name}")
        sql(crime)
    else:
        sql(f"SET LOCAL session_replication_role = replica; {crime}")
    found = (await bank.reconcile()).findings
    assert any(finding in sentence for sentence in found), found


def _said(sql: Sql, statement: str) -> str | None:
    """What the database said against it; None when it let it pass."""
    try:
        sql(statement)
    except DBAPIError as error:
        return str(error)
    return None
