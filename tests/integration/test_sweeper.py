"""What is older than the retention goes: lines, answers, turns; the audit stays and is signed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bots.supervisor.sweeper import Sweeper, genuine
from storage import audit, checkpoints, nonces, record, replies, sessions
from storage.core import NONCE, REPLY, TURN, run
from storage.record import NewLine
from storage.store import Store
from storage.tables import ReplyState
from tests.schema import give_schema

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=40), NOW - timedelta(days=3)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path}/parley.sqlite")
    await give_schema(made)
    yield made
    await made.close()


async def happened(store: Store, at: datetime, words: str) -> None:
    async with store.writing() as unit:
        line = NewLine(
            network="irc",
            channel="#lobby",
            sender="alice",
            kind="said",
            text=words,
            said_at=at,
            heard_at=at,
            heard_by="auditor",
            trace_id=words,
        )
        await record.keep_new(unit, line)
        ids = await replies.begin(
            unit, "auditor", "irc:#lobby", [words], inbox_id=None, hops=1, trace_id=words, now=at
        )
        await replies.settle(unit, ids, ReplyState.SENT, "pong", at)
        session = await sessions.open_session(unit, "auditor", words, at)
        await sessions.add_turn(
            unit,
            session,
            asker="alice",
            asked=words,
            answer=words,
            model="offline",
            started_at=at,
            finished_at=at,
            trace_id=words,
        )
        await audit.append(
            unit,
            agent="auditor",
            at=at,
            verb="send",
            target="irc:#lobby",
            outcome="permitted",
            reason="asked",
            details={},
            trace_id=words,
        )


async def test_a_sweep_forgets_what_is_old_and_signs_what_stays(store: Store) -> None:
    await happened(store, OLD, "old")
    await happened(store, YOUNG, "young")
    sweeper = Sweeper(
        SimpleNamespace(store=store),  # type: ignore[arg-type]
        "here:1",
        Ed25519PrivateKey.generate(),
        retention=timedelta(days=30),
        clock=lambda: NOW,
        log=structlog.get_logger(),
    )
    await sweeper.sweep()
    async with store.reading() as unit:
        assert [m.text for m in await record.tail(unit, "irc", "#lobby", 10)] == ["young"]
        said = await run(unit, sa.select(REPLY.c.text))
        assert [*said.scalars()] == ["young"]
        assert (await sessions.history(unit, "auditor", "old", 5)).turns == ()
        kept = await run(unit, sa.select(TURN.c.asked))
        assert [*kept.scalars()] == ["young"]
        assert len(await audit.entries(unit, "auditor")) == 2
        assert await checkpoints.broken(unit, "auditor", genuine) is None
        assert await checkpoints.unsigned(unit) == []


async def test_a_sweep_forgets_nonces_that_no_clock_takes_for_fresh(store: Store) -> None:
    async with store.writing() as unit:
        for value, age in (("old", timedelta(minutes=6)), ("skewed", timedelta(minutes=4))):
            await nonces.use(unit, value, key_id="k1", expires_at=NOW - age)
        await nonces.use(unit, "fresh", expires_at=NOW + timedelta(minutes=5))
    sweeper = Sweeper(
        SimpleNamespace(store=store),  # type: ignore[arg-type]
        "here:1",
        Ed25519PrivateKey.generate(),
        retention=timedelta(days=30),
        clock=lambda: NOW,
        log=structlog.get_logger(),
    )
    await sweeper.sweep()
    async with store.reading() as unit:
        assert {*(await run(unit, sa.select(NONCE.c.value))).scalars()} == {"k1 skewed", "fresh"}
