"""One key signs, the one before it verifies for a while, and a revoked one never again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from storage import audit, keys, nonces
from storage.core import SIGNING_KEY
from storage.key_life import LIFE, OVERLAP
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import Key, NewKey
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def new(key_id: str, owner: str = "captain", at: datetime = NOON) -> NewKey:
    return NewKey(
        key_id=key_id,
        owner=owner,
        kind=KeyKind.AGENT,
        alg=KeyAlgorithm.ED25519,
        public="cHVibGlj",
        sealed=f"sealed-{key_id}",
        master="m1",
        expires_at=at + LIFE,
    )


async def added(store: Store, key_id: str, at: datetime = NOON, owner: str = "captain") -> Key:
    async with store.writing(durable=True) as unit:
        return await keys.add(unit, new(key_id, owner, at), by="test", now=at, overlap=OVERLAP)


async def verifies(store: Store, key_id: str, at: datetime) -> bool:
    async with store.writing() as unit:
        return await keys.verifying(unit, key_id, at) is not None


async def why(store: Store, key_id: str, at: datetime) -> str:
    async with store.reading() as unit:
        return await keys.why_not(unit, key_id, at)


async def signs(store: Store, at: datetime, owner: str = "captain") -> str | None:
    async with store.reading() as unit:
        key = await keys.current(unit, owner, at)
    return key.key_id if key else None


async def test_a_successor_signs_and_the_old_key_verifies_for_the_overlap(store: Store) -> None:
    await added(store, "k1")
    await added(store, "k2", NOON + DAY)
    assert await signs(store, NOON + DAY) == "k2"
    last = NOON + DAY + OVERLAP
    assert await verifies(store, "k1", last - timedelta(seconds=1))
    assert not await verifies(store, "k1", last)
    assert "k1 of captain was replaced" in await why(store, "k1", last)
    assert await verifies(store, "k2", last)
    assert await why(store, "k2", last) == ""


async def test_after_ninety_days_it_signs_and_verifies_nothing(store: Store) -> None:
    await added(store, "k1")
    assert await verifies(store, "k1", NOON + 90 * DAY - timedelta(seconds=1))
    assert not await verifies(store, "k1", NOON + 90 * DAY)
    assert await signs(store, NOON + 90 * DAY) is None
    assert "expired at 2027-02-18" in await why(store, "k1", NOON + 90 * DAY)


async def test_a_revoked_key_verifies_nothing_from_the_commit_on(store: Store) -> None:
    await added(store, "k1")
    async with store.writing(durable=True) as unit:
        gone = await keys.revoke(unit, "k1", by="alice", now=NOON, reason="laptop stolen")
        assert gone is not None
        assert gone.revoked_by == "alice"
        assert await keys.revoke(unit, "k1", by="bob", now=NOON + DAY) is None
    assert not await verifies(store, "k1", NOON)
    assert not await verifies(store, "k1", NOON - DAY)
    assert "was revoked at 2026-11-20 12:00 UTC" in await why(store, "k1", NOON)
    assert await signs(store, NOON) is None


async def test_a_key_nobody_has_verifies_nothing(store: Store) -> None:
    assert not await verifies(store, "k9", NOON)
    assert await why(store, "k9", NOON) == "nobody has a key of that id"
    async with store.writing() as unit:
        assert await keys.revoke(unit, "k9", by="alice", now=NOON) is None
        assert await keys.retire(unit, "k9", until=NOON, by="alice", now=NOON) is None


async def test_each_change_is_in_its_owners_chain_and_nothing_secret_with_it(store: Store) -> None:
    await added(store, "k1")
    second = await added(store, "k2", NOON + DAY)
    async with store.writing(durable=True) as unit:
        await keys.reseal(unit, second, sealed="other", master="m2", by="bob", now=NOON + DAY)
        await keys.revoke(unit, "k2", by="alice", now=NOON + DAY, reason="laptop stolen")
    async with store.reading() as unit:
        entries = await audit.entries(unit, "captain", verb="key")
        assert await audit.verify(unit, "captain") is None
    assert [(e.target, e.reason) for e in entries] == [
        ("key:k1", "made, by test"),
        ("key:k1", "signs no more, verifies until 2026-11-22 12:00 UTC; by test"),
        ("key:k2", "made instead of k1, by test"),
        ("key:k2", "sealed anew by bob"),
        ("key:k2", "revoked by alice: laptop stolen"),
    ]
    assert not any("sealed-" in e.details for e in entries)
    assert "sealed-" not in repr(second)


async def test_what_was_sealed_anew_meanwhile_is_left_alone(store: Store) -> None:
    key = await added(store, "k1")
    async with store.writing() as unit:
        assert await keys.reseal(unit, key, sealed="b", master="m2", by="bob", now=NOON) is not None
        assert await keys.reseal(unit, key, sealed="c", master="m3", by="sam", now=NOON) is None
        assert [(k.sealed, k.master) for k in await keys.every(unit)] == [("b", "m2")]


async def test_many_successors_at_once_leave_one_that_signs(store: Store) -> None:
    await asyncio.gather(*(added(store, f"k{n}", NOON) for n in range(6)))
    async with store.reading() as unit:
        everybody = await keys.of_owner(unit, "captain")
    assert len(everybody) == 6
    assert sum(k.retiring_at is None for k in everybody) == 1
    for key in everybody:
        assert await verifies(store, key.key_id, NOON + OVERLAP / 2)


async def test_the_database_itself_refuses_two_that_sign(store: Store) -> None:
    first = await added(store, "k1")
    await added(store, "k2")
    with pytest.raises(IntegrityError):
        async with store.writing() as unit:
            await unit.execute(
                sa.update(SIGNING_KEY)
                .where(SIGNING_KEY.c.key_id == first.key_id)
                .values(retiring_at=None)
            )


async def test_whoever_accepts_first_is_waited_for(store: Store) -> None:
    """When `revoke` has returned, nothing that the key signed is accepted any more."""
    await added(store, "k1")
    reading, revoked = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def accept() -> None:
        async with store.writing() as unit:
            assert await keys.verifying(unit, "k1", NOON) is not None
            reading.set()
            # The other one is at its UPDATE, or will be; it cannot be done before us.
            done, _ = await asyncio.wait([asyncio.create_task(revoked.wait())], timeout=0.3)
            assert not done
            order.append("accepted")

    async def revoke() -> None:
        await reading.wait()
        async with store.writing() as unit:
            await keys.revoke(unit, "k1", by="alice", now=NOON)
        order.append("revoked")
        revoked.set()

    async with asyncio.timeout(20):
        await asyncio.gather(accept(), revoke())
    assert order == ["accepted", "revoked"]
    assert not await verifies(store, "k1", NOON)


async def test_nonces_of_two_keys_have_nothing_to_do_with_each_other(store: Store) -> None:
    due = NOON + timedelta(minutes=5)
    async with store.writing() as unit:
        assert await nonces.use(unit, "n", key_id="k1", expires_at=due)
        assert await nonces.use(unit, "n", key_id="k2", expires_at=due)
        assert await nonces.use(unit, "n", expires_at=due)
        assert not await nonces.use(unit, "n", key_id="k1", expires_at=due)


async def test_a_nonce_is_kept_until_no_clock_takes_it_for_fresh(store: Store) -> None:
    due = NOON + timedelta(minutes=5)
    async with store.writing() as unit:
        for number in range(5):
            await nonces.use(unit, f"n{number}", key_id="k1", expires_at=due)
    async with store.writing() as unit:
        assert await nonces.forget(unit, due + nonces.SKEW - timedelta(seconds=1), 10) == 0
        assert await nonces.forget(unit, due + nonces.SKEW, 3) == 3
        assert await nonces.forget(unit, due + nonces.SKEW, 3) == 2
        assert await nonces.use(unit, "n1", key_id="k1", expires_at=due)
