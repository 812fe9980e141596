"""Triggers of the ledger as migration 0020 makes them, on both databases from the same rules.

A rule is a sentence and when it is broken. SQLite's triggers raise by themselves; on PostgreSQL
they call a function a moment. The rules repeat some constraints: ``INSERT OR IGNORE`` and ``INSERT
OR REPLACE`` step over a constraint in SQLite, also inside triggers, but not over ``RAISE``.
"""

from __future__ import annotations

from typing import Final

_TABLES: Final = ("account", "entry", "hold", "transfer")
_LAST: Final = "FROM entry WHERE account = {} ORDER BY seq DESC LIMIT 1"
_FIGURES: Final = {
    "held": "hold",
    "captured": "capture",
    "fees": "fee",
    "voided": "void",
    "refunded": "refund",
}
_SUMS: Final = ", ".join(
    f"coalesce(sum(amount_microcredits) FILTER (WHERE kind = '{kind}'), 0) AS {figure}"
    for figure, kind in _FIGURES.items()
)
_FIXED: Final = (
    "id",
    "code",
    "payer",
    "payee",
    "arbiter",
    "amount_microcredits",
    "opened_at",
    "trace_id",
)
_ALWAYS: Final = "1 = 1"
_DIFFERS: Final = " OR ".join(f"sums.{name} <> new.{name}_microcredits" for name in _FIGURES)
_OTHERWISE: Final = (
    f"EXISTS (SELECT 1 FROM (SELECT {_SUMS} FROM transfer "  # noqa: S608 - all of it is our own
    f"WHERE hold_id = old.id) sums WHERE {_DIFFERS})"
)

#: (moment, table) → what is refused then, and when
_RULES: Final = {
    ("BEFORE INSERT", "transfer"): (
        (
            "this transfer is there already",
            "EXISTS (SELECT 1 FROM transfer WHERE id = new.id OR code = new.code)",
        ),
        (
            "there is no such account",
            "(SELECT count(*) FROM account WHERE name IN (new.debit, new.credit)) <> 2",
        ),
        (
            "this is not what the hold says",
            (
                "new.hold_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM hold WHERE id = new.hold_id "
                "AND CASE new.kind "
                "WHEN 'hold' "
                "THEN new.debit = payer AND new.amount_microcredits = amount_microcredits "
                "WHEN 'capture' THEN new.credit = payee WHEN 'fee' THEN new.credit = 'fees' "
                "WHEN 'void' THEN new.credit = payer "
                "WHEN 'refund' THEN new.debit = payee AND new.credit = payer END)"
            ),
        ),
    ),
    ("BEFORE INSERT", "entry"): (
        (
            "entries come from transfers",
            (
                "EXISTS (SELECT 1 FROM entry WHERE transfer_id = new.transfer_id "
                "AND account = new.account) "
                "OR NOT EXISTS (SELECT 1 FROM transfer t WHERE t.id = new.transfer_id AND ("
                "(t.debit = new.account AND new.amount_microcredits = -t.amount_microcredits) OR "
                "(t.credit = new.account AND new.amount_microcredits = t.amount_microcredits)))"
            ),
        ),
        (
            "an account would go below zero",
            "new.balance_microcredits < 0 AND new.account <> 'treasury'",
        ),
        (
            "an entry follows the last one",
            (
                f"new.seq <> 1 + coalesce((SELECT seq {_LAST.format('new.account')}), 0) "
                "OR new.balance_microcredits <> new.amount_microcredits + "
                f"coalesce((SELECT balance_microcredits {_LAST.format('new.account')}), 0)"
            ),
        ),
    ),
    ("BEFORE INSERT", "hold"): (
        (
            "this hold is there already",
            "EXISTS (SELECT 1 FROM hold WHERE id = new.id OR code = new.code)",
        ),
        (
            "a hold begins empty",
            " OR ".join(f"new.{figure}_microcredits <> 0" for figure in _FIGURES),
        ),
    ),
    ("BEFORE UPDATE", "hold"): (
        (
            "who holds what for whom does not change",
            " OR ".join(f"new.{name} <> old.{name}" for name in _FIXED)
            + " OR new.deadline < old.deadline",
        ),
        (
            "a hold is what its transfers say",
            _OTHERWISE,
        ),
        (
            "a hold resolves once",
            (
                "new.captured_microcredits + new.fees_microcredits + new.voided_microcredits "
                "> new.held_microcredits OR new.refunded_microcredits > new.captured_microcredits"
            ),
        ),
    ),
    **{
        (f"BEFORE {change}", table): ((f"the ledger only grows: no {change} of {table}", _ALWAYS),)
        for table in _TABLES
        for change in ("UPDATE", "DELETE")
        if (table, change) != ("hold", "UPDATE")
    },
}


def _entry(account: str, amount: str) -> str:
    seq, balance = (_LAST.format(account) for _ in range(2))
    return (
        "INSERT INTO entry "
        "(account, seq, transfer_id, amount_microcredits, balance_microcredits) "
        f"SELECT {account}, 1 + coalesce((SELECT seq {seq}), 0), new.id, {amount}, "
        f"{amount} + coalesce((SELECT balance_microcredits {balance}), 0);"
    )


_RAISED: Final = ", ".join(
    f"{figure}_microcredits = {figure}_microcredits + "
    f"CASE new.kind WHEN '{kind}' THEN new.amount_microcredits ELSE 0 END"
    for figure, kind in _FIGURES.items()
)
#: what a new transfer does, in this order
_POSTED: Final = (
    _entry("new.debit", "-new.amount_microcredits"),
    _entry("new.credit", "new.amount_microcredits"),
    f"UPDATE hold SET {_RAISED} WHERE id = new.hold_id;",  # noqa: S608 - as above
)
_AFTERWARDS: Final = (
    "a transfer has two entries",
    "(SELECT count(*) FROM entry WHERE transfer_id = new.id) <> 2",
)

#: on PostgreSQL
FUNCTIONS: Final = (
    "ledger_posts",
    "ledger_only_grows",
    *(f"ledger_{table}_{moment.lower().replace(' ', '_')}" for moment, table in _RULES),
)


def triggers(dialect: str) -> list[str]:
    """The statements that make them on ``sqlite`` or ``postgresql``."""
    return _on_postgresql() if dialect == "postgresql" else _on_sqlite()


def _on_sqlite() -> list[str]:
    def made(name: str, moment: str, table: str, body: str) -> str:
        return f"CREATE TRIGGER {name} {moment} ON {table} BEGIN {body} END"

    def refused(sentence: str, when: str) -> str:
        return f"SELECT RAISE(ABORT, '{sentence}') WHERE {when};"

    checks = [
        made(_name(moment, table), moment, table, " ".join(refused(*rule) for rule in rules))
        for (moment, table), rules in _RULES.items()
    ]
    posting = " ".join((*_POSTED, refused(*_AFTERWARDS)))
    return [*checks, made("transfer_posts", "AFTER INSERT", "transfer", posting)]


def _on_postgresql() -> list[str]:
    def defined(name: str, body: str) -> str:
        return (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )

    def refused(sentence: str, when: str) -> str:
        return f"IF {when} THEN RAISE EXCEPTION '{sentence}'; END IF;"

    made = [
        defined("ledger_posts", " ".join((*_POSTED, refused(*_AFTERWARDS), "RETURN NULL;"))),
        defined("ledger_only_grows", refused("the ledger only grows", _ALWAYS)),
        (
            "CREATE TRIGGER transfer_posts AFTER INSERT ON transfer "
            "FOR EACH ROW EXECUTE FUNCTION ledger_posts()"
        ),
    ]
    for (moment, table), rules in _RULES.items():
        body = " ".join(refused(*rule) for rule in rules)
        name = _name(moment, table)
        made += [
            defined(f"ledger_{name}", f"{body} RETURN NEW;"),
            (
                f"CREATE TRIGGER {name} {moment} ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION ledger_{name}()"
            ),
        ]
    return made + [
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()"
        for table in _TABLES
    ]


def _name(moment: str, table: str) -> str:
    return f"{table}_{moment.lower().replace(' ', '_')}"
