"""Questions to people: who decides first has decided, and every step is on record."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import audit, requests
from storage.requests import Approvers, Decision, NewRequest, Request
from storage.store import Store
from storage.tables import RequestState
from tests.schema import give_schema

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DUE = NOON + timedelta(minutes=30)


NEW = NewRequest(
    agent="captain",
    kind="restart",
    subject="secretary",
    title="Restart secretary",
    facts=(("Undo", "no"),),
    asked_by="guest",
    approvers=Approvers(("45",), ("67",)),
    network="discord",
    channel="#ceo-office",
    expires_at=DUE,
    trace_id="t1",
)


async def asked(store: Store) -> Request:
    async with store.writing() as unit:
        return await requests.open_one(unit, NEW, NOON)


async def decided(store: Store, request: Request, decision: Decision) -> Request | None:
    async with store.writing() as unit:
        return await requests.decide(unit, request.id, decision, NOON)


async def test_a_request_has_a_code_and_knows_the_message_that_shows_it(store: Store) -> None:
    first, second = await asked(store), await asked(store)
    assert (first.code, second.code) == ("AP-1", "AP-2")
    async with store.writing() as unit:
        await requests.note_shown(unit, second.id, RequestState.PENDING, "987")
    async with store.reading() as unit:
        found = await requests.read(unit, second.id)
        assert found is not None
        assert (found.code, found.message_id) == ("AP-2", "987")
        assert found.facts == (("Undo", "no"),)
        assert found.approvers == Approvers(("45",), ("67",))
        assert [r.code for r in await requests.pending(unit, "captain")] == ["AP-1", "AP-2"]
        assert await requests.pending(unit, "tech-lead") == []


async def test_twelve_decide_at_once_and_one_has_decided(store: Store, empty_database: str) -> None:
    request = await asked(store)
    other = await Store.open(empty_database)
    presses = [
        decided(where, request, Decision(approved=n % 3 > 0, by=f"p{n}"))
        for n in range(6)
        for where in (store, other)
    ]
    won = [r for r in await asyncio.gather(*presses) if r is not None]
    assert len(won) == 1
    async with store.reading() as unit:
        now = await requests.read(unit, request.id)
        assert now == won[0]
        entries = await audit.entries(unit, "captain", verb="transition")
        assert [json.loads(e.details)["to"] for e in entries] == ["pending", str(won[0].state)]
        assert entries[-1].target == "request:AP-1"
        assert await audit.verify(unit, "captain") is None
    await other.close()


async def test_nobody_decides_what_is_due_and_it_expires_once(store: Store) -> None:
    request = await asked(store)
    async with store.writing() as unit:
        assert await requests.decide(unit, 1, Decision(approved=True, by="you"), DUE) is None
        assert await requests.expire(unit, "captain", NOON) == []
        [expired] = await requests.expire(unit, "captain", DUE)
        assert (expired.state, expired.decided_at) == (RequestState.EXPIRED, DUE)
        assert await requests.expire(unit, "captain", DUE) == []
        assert await requests.decide(unit, 1, Decision(approved=True, by="you"), NOON) is None
        assert [r.id for r in await requests.unshown(unit, "captain", "discord")] == [request.id]


async def test_only_what_was_approved_is_completed_once(store: Store) -> None:
    request = await asked(store)
    async with store.writing() as unit:
        assert await requests.complete(unit, request.id, "done", NOON) is None
        evidence = {"discord_user": "45", "discord_roles": ["67"]}
        yes = Decision(approved=True, by="you", evidence=evidence)
        approved = await requests.decide(unit, request.id, yes, NOON)
        assert approved is not None
        assert approved.evidence == evidence
        assert [r.id for r in await requests.approved(unit, "captain")] == [request.id]
        completed = await requests.complete(unit, request.id, "restarting secretary", NOON)
        assert completed is not None
        assert completed.outcome == "restarting secretary"
        assert await requests.complete(unit, request.id, "again", NOON) is None
        assert await requests.approved(unit, "captain") == []


@pytest.mark.parametrize(
    ("user", "roles"), [("67", ["45"]), (None, []), ("", [""]), ("4", ["6", "7"])]
)
def test_a_user_is_no_role_and_a_role_no_user(user: str | None, roles: list[str]) -> None:
    assert not Approvers(("45",), ("67",)).include(user, roles)
    assert Approvers(("45",), ("67",)).include("45", roles)
    assert Approvers(("45",), ("67",)).include(user, [*roles, "67"])


steps = st.lists(
    st.tuples(st.sampled_from(["yes", "no", "expire", "complete"]), st.integers(0, 40)),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_whatever_happens_in_whatever_order_only_lawful_steps_are_taken(
    tmp_path_factory: pytest.TempPathFactory, happens: list[tuple[str, int]]
) -> None:
    asyncio.run(_walk(tmp_path_factory.mktemp("walk"), happens))


async def _walk(folder: Path, happens: list[tuple[str, int]]) -> None:
    store = await Store.open(f"sqlite:///{folder / 'p.db'}")
    await give_schema(store)
    request = await asked(store)
    before = request
    for deed, minutes in happens:
        now = NOON + timedelta(minutes=minutes)
        async with store.writing() as unit:
            match deed:
                case "expire":
                    await requests.expire(unit, "captain", now)
                case "complete":
                    await requests.complete(unit, request.id, "done", now)
                case _:
                    choice = Decision(approved=deed == "yes", by=deed)
                    await requests.decide(unit, request.id, choice, now)
            after = await requests.read(unit, request.id)
        assert after is not None
        if after.state != before.state:
            assert after.state in requests.NEXT[before.state]
            if after.state in {RequestState.APPROVED, RequestState.REJECTED}:
                assert now < DUE
        else:
            assert after == before
        before = after
    async with store.reading() as unit:
        told = [json.loads(e.details) for e in await audit.entries(unit, "captain")]
        assert [one["from"] for one in told][1:] == [one["to"] for one in told][:-1]
        assert told[-1]["to"] == str(before.state)
        assert await audit.verify(unit, "captain") is None
    await store.close()
