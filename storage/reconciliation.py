"""Reconciliation: every sum of the ledger worked out again from its rows. Constraints and triggers
keep it right; this finds what somebody did who had the file in hand, and what we got wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from storage.core import one_at_a_time, run
from storage.ledger_orders import ESCROW, TREASURY
from storage.statements import balances
from storage.transfers import LEDGER
from storage.unit import Unit

_COUNTS: Final = sa.text(
    "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM transfer), "
    "(SELECT count(*) FROM hold), "
    "(SELECT coalesce(sum(amount_microcredits), 0) FROM transfer WHERE kind = 'mint'), "
    "(SELECT coalesce(sum(held_microcredits - captured_microcredits - fees_microcredits "
    "- voided_microcredits), 0) FROM hold)"
)
_OTHERWISE: Final = " OR ".join(
    f"coalesce(sum(CASE t.kind WHEN '{kind}' THEN t.amount_microcredits ELSE 0 END), 0) "
    f"<> min(h.{figure}_microcredits)"
    for figure, kind in (
        ("held", "hold"),
        ("captured", "capture"),
        ("fees", "fee"),
        ("voided", "void"),
        ("refunded", "refund"),
    )
)
#: what each row that a question finds is told as, and the question; its first column is named
_QUESTIONS: Final = (
    (
        "transfer {} has not its two entries",
        (
            "SELECT t.code FROM transfer t LEFT JOIN entry e ON e.transfer_id = t.id "
            "GROUP BY t.id, t.code HAVING count(e.account) <> 2 OR sum(CASE "
            "WHEN e.account = t.debit AND e.amount_microcredits = -t.amount_microcredits THEN 1 "
            "WHEN e.account = t.credit AND e.amount_microcredits = t.amount_microcredits THEN 1 "
            "ELSE 0 END) <> 2"
        ),
    ),
    (
        "{} has an entry of no transfer",
        (
            "SELECT e.account FROM entry e LEFT JOIN transfer t ON t.id = e.transfer_id "
            "WHERE t.id IS NULL"
        ),
    ),
    (
        "{} has an entry that does not follow the one before",
        (
            "SELECT DISTINCT account FROM (SELECT account, seq, amount_microcredits AS amount, "
            "balance_microcredits AS balance, "
            "lag(balance_microcredits, 1, 0) OVER (PARTITION BY account ORDER BY seq) AS former, "
            "row_number() OVER (PARTITION BY account ORDER BY seq) AS number FROM entry) chain "
            "WHERE seq <> number OR balance <> former + amount"
        ),
    ),
    (
        "{} was below zero",
        (
            "SELECT DISTINCT account FROM entry "
            "WHERE balance_microcredits < 0 AND account <> 'treasury'"
        ),
    ),
    (
        "{} has entries and is no account",
        "SELECT DISTINCT account FROM entry WHERE account NOT IN (SELECT name FROM account)",
    ),
    (
        "hold {} is not what its transfers say",
        (
            "SELECT h.code FROM hold h LEFT JOIN transfer t ON t.hold_id = h.id "  # noqa: S608 - our own
            f"GROUP BY h.id, h.code HAVING {_OTHERWISE}"
        ),
    ),
    (
        "hold {} gave out more than it held",
        (
            "SELECT code FROM hold WHERE captured_microcredits + fees_microcredits "
            "+ voided_microcredits > held_microcredits "
            "OR refunded_microcredits > captured_microcredits"
        ),
    ),
    (
        "transfer {} has no permit in the audit",
        (
            # No join: there is no index over hashes, and a set of them is made once.
            "SELECT code FROM transfer WHERE (agent, audit_hash) NOT IN (SELECT agent, hash "
            "FROM audit WHERE outcome = 'permitted' "
            "AND verb IN ('mint', 'pay', 'hold', 'capture', 'void', 'refund', 'sweep'))"
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    accounts: int
    transfers: int
    holds: int
    #: micro-credits that there are, and how many of them are in escrow
    minted_microcredits: int
    escrow_microcredits: int
    #: what is wrong, a sentence each; none: the sums are proved
    findings: tuple[str, ...]


async def reconcile(unit: Unit) -> Reconciliation:
    """Work all sums out again; changes nothing. It reads the whole ledger, and on PostgreSQL nobody
    moves credits meanwhile, for each of its questions sees a moment of its own.
    """
    await one_at_a_time(unit, LEDGER)
    accounts, transfers, holds, minted, held = (await run(unit, _COUNTS)).one()
    has = await balances(unit)
    findings = [
        sentence.format(row[0])
        for sentence, question in _QUESTIONS
        for row in (await run(unit, sa.text(question))).all()
    ]
    for what, found, expected in (
        ("all accounts together", sum(has.values()), 0),
        ("the treasury", has.get(TREASURY, 0), -int(minted)),
        ("escrow", has.get(ESCROW, 0), int(held)),
    ):
        if found != expected:
            findings.append(f"{what} should have {expected} micro-credits, not {found}")
    return Reconciliation(
        accounts=accounts,
        transfers=transfers,
        holds=holds,
        minted_microcredits=int(minted),
        escrow_microcredits=int(held),
        findings=tuple(findings),
    )
