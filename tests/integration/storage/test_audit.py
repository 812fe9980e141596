"""The audit only grows, and whoever changes it is found out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from storage import audit
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
Sql = Callable[[str], list[Any]]


async def append(store: Store, agent: str = "captain", **more: Any) -> str:
    given: dict[str, Any] = {"at": NOON, "verb": "send", "target": "irc:#lobby", "trace_id": "t"}
    given |= {"outcome": "permitted", "reason": "asked 'warum?' ☃", "details": {"b": 1, "a": [2]}}
    async with store.writing(durable=True) as unit:
        return await audit.append(unit, agent=agent, **given | more)


async def broken_at(store: Store, agent: str = "captain") -> int | None:
    async with store.reading() as unit:
        return await audit.verify(unit, agent)


def unlock(store: Store, sql: Sql) -> None:
    """What somebody with the database file in hand can do."""
    if store.dialect == "sqlite":
        sql("DROP TRIGGER audit_no_update")
        sql("DROP TRIGGER audit_no_delete")
    else:
        sql("ALTER TABLE audit DISABLE TRIGGER ALL")


async def test_each_agent_has_its_own_whole_chain(store: Store) -> None:
    hashes = [await append(store, details={"n": n}) for n in range(3)]
    await append(store, agent="auditor")
    async with store.reading() as unit:
        chain = await audit.entries(unit, "captain")
        assert await audit.agents_audited(unit) == ["auditor", "captain"]
        assert len(await audit.entries(unit)) == 4
        assert [e.seq for e in await audit.entries(unit, "captain", 2)] == [2, 3]
        assert await audit.entries(unit, trace_id="other") == []
        assert await audit.entries(unit, since=NOON + timedelta(seconds=1)) == []
    assert [entry.hash for entry in chain] == hashes
    assert [entry.seq for entry in chain] == [1, 2, 3]
    assert chain[0].previous_hash == audit.GENESIS
    assert chain[1].previous_hash == hashes[0]
    assert chain[0].at == NOON
    assert await broken_at(store) is None
    assert await broken_at(store, "nobody") is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET reason = 'x'", "DELETE FROM audit"])
async def test_the_database_refuses_changes(store: Store, sql: Sql, statement: str) -> None:
    await append(store)
    with pytest.raises(DBAPIError, match="append-only"):
        sql(statement)
    assert await broken_at(store) is None


async def test_postgresql_refuses_to_empty_the_audit_too(store: Store, sql: Sql) -> None:
    await append(store)
    statement = "TRUNCATE audit" if store.dialect == "postgresql" else "DELETE FROM audit"
    with pytest.raises(DBAPIError, match="append-only"):
        sql(statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reason", "'nothing'"),
        ("at", "'2020-01-01 00:00:00.000000'"),
        ("details", "'{}'"),
        ("outcome", "'refused'"),
        ("trace_id", "''"),
        ("hash", "'0'"),
        ("previous_hash", "'0'"),
        ("seq", "40"),
    ],
)
async def test_a_changed_entry_breaks_the_chain_there(
    store: Store, sql: Sql, column: str, value: str
) -> None:
    for number in range(4):
        await append(store, details={"n": number})
    unlock(store, sql)
    sql(f"UPDATE audit SET {column} = {value} WHERE agent = 'captain' AND seq = 2")
    assert await broken_at(store) == 2


async def test_a_removed_entry_breaks_the_chain_there(store: Store, sql: Sql) -> None:
    for _ in range(4):
        await append(store)
    unlock(store, sql)
    sql("DELETE FROM audit WHERE seq = 3")
    assert await broken_at(store) == 3


async def test_details_that_json_cannot_carry_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        await append(store, details={"n": float("nan")})
    with pytest.raises(TypeError):
        await append(store, details={"at": NOON})
    assert await broken_at(store) is None
