"""A signed checkpoint shows what a chain alone cannot: entries cut off at its end."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.exc import DBAPIError

from bots.control.signatures import public_half
from bots.supervisor.sweeper import genuine
from storage import audit, checkpoints
from storage.store import Store

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()


async def entry(store: Store, agent: str = "auditor") -> None:
    async with store.writing() as unit:
        await audit.append(
            unit,
            agent=agent,
            at=NOW,
            verb="send",
            target="irc:#lobby",
            outcome="permitted",
            reason="asked",
            details={},
            trace_id="t",
        )


async def sign_all(store: Store, key: Ed25519PrivateKey = KEY) -> int:
    async with store.writing(durable=True) as unit:
        heads = await checkpoints.unsigned(unit)
        for head in heads:
            signature = base64.b64encode(key.sign(head.message)).decode()
            await checkpoints.add(unit, head, at=NOW, key=public_half(KEY), signature=signature)
    return len(heads)


async def broken(store: Store) -> str | None:
    async with store.reading() as unit:
        return await checkpoints.broken(unit, "auditor", genuine)


async def test_every_grown_chain_is_signed_once(store: Store) -> None:
    await entry(store)
    await entry(store, "buyer")
    assert await sign_all(store) == 2
    assert await sign_all(store) == 0
    await entry(store)
    assert await sign_all(store) == 1
    assert await broken(store) is None


async def test_an_end_that_was_cut_off_shows(store: Store, sql: Callable[[str], object]) -> None:
    for _ in range(3):
        await entry(store)
    await sign_all(store)
    # Past the store: on PostgreSQL who asks for that has a database of his own.
    postgresql = store.dialect == "postgresql"
    sql("DROP TRIGGER audit_append_only ON audit" if postgresql else "DROP TRIGGER audit_no_delete")
    sql("DELETE FROM audit WHERE seq = 3")
    async with store.reading() as unit:
        assert await audit.verify(unit, "auditor") is None
    assert await broken(store) == "entry 3 of auditor's chain is missing, though it was signed"


async def test_a_checkpoint_by_another_key_does_not_count(store: Store) -> None:
    await entry(store)
    await sign_all(store, Ed25519PrivateKey.generate())
    assert "not signed by its key" in (await broken(store) or "")


@pytest.mark.parametrize("change", ["UPDATE checkpoint SET seq = 9", "DELETE FROM checkpoint"])
async def test_checkpoints_are_append_only(store: Store, change: str) -> None:
    await entry(store)
    await sign_all(store)
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.writing() as unit:
            await unit.execute(sa.text(change))
