"""Whatever people do to a request, in whatever order and however late: it is decided once, by those
who may, by as many as it takes; and the bill is taken once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.control.objections import NotTaken, Voter
from bots.control.requests import Requests
from bots.house_settings import ApprovalSettings
from storage import audit, requests
from storage.request import Approvers, NewRequest, Request, RequestKind
from storage.store import Store
from storage.tables import RequestState
from tests.schema import give_schema

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DUE = NOON + timedelta(minutes=30)
PEOPLE = {
    "user": Voter(name="user", user="1"),
    "boss": Voter(name="boss", user="2", roles=("7",)),
    # Somebody else with a role that says nothing, and an id that is called like the account.
    "eve": Voter(name="eve", user="alice", roles=("1",)),
    "alice": Voter(name="alice", account="ALICE"),
    "nick": Voter(name="alice", account=None),
}
MAY = {"user", "boss", "alice"}
NEW = NewRequest(
    agent="captain",
    kind=RequestKind.PAYMENT,
    subject="GPU hours",
    title="GPU hours",
    currency="EUR",
    cost_micros=12_000_000,
    asked_by="buyer",
    approvers=Approvers(("1",), ("7",), ("alice",)),
    network="discord",
    channel="#ceo-office",
    expires_at=DUE,
    trace_id="t1",
)
deeds = st.tuples(
    st.sampled_from(["yes", "yes", "no", "bill", "expire"]),
    st.sampled_from(sorted(PEOPLE)),
    st.integers(0, 4),
)


@dataclass
class Model:
    """What should be true, in the fewest words."""

    quorum: int
    by_hand: bool
    state: RequestState = RequestState.PENDING
    said_yes: set[str] = field(default_factory=set)

    def takes(self, deed: str, who: str, *, due: bool) -> bool:
        """Whether this changes anything; it is then as it should be afterwards."""
        if deed == "expire":
            expires = self.state is RequestState.PENDING and due
            self.state = RequestState.EXPIRED if expires else self.state
            return expires
        if who not in MAY:
            return False
        if deed == "bill":
            done = self.state is RequestState.APPROVED and self.by_hand
            self.state = RequestState.COMPLETED if done else self.state
            return done
        if self.state is not RequestState.PENDING or due:
            return False
        if self.quorum > 1 and who == "alice":
            return False
        return self._decides(deed, who)

    def _decides(self, deed: str, who: str) -> bool:
        if deed == "no":
            self.state = RequestState.REJECTED
            return True
        if who in self.said_yes:
            return False
        self.said_yes.add(who)
        if len(self.said_yes) >= self.quorum:
            self.state = RequestState.APPROVED
        return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(deeds, max_size=12),
    st.integers(1, 3),
    st.sampled_from([RequestKind.PAYMENT, RequestKind.GATE]),
)
def test_it_is_decided_once_by_those_who_may(
    tmp_path_factory: pytest.TempPathFactory,
    happens: list[tuple[str, str, int]],
    quorum: int,
    kind: RequestKind,
) -> None:
    folder = tmp_path_factory.mktemp("walk")
    asyncio.run(_walk(folder, happens, replace(NEW, quorum=quorum, kind=kind)))


async def _walk(folder: Path, happens: list[tuple[str, str, int]], new: NewRequest) -> None:
    store = await Store.open(f"sqlite:///{folder / 'p.db'}")
    await give_schema(store)
    now = NOON
    asking = Requests(
        store=store,
        captain="captain",
        settings=ApprovalSettings(),
        operators=new.approvers,
        redact=str,
        clock=lambda: now,
    )
    async with store.writing() as unit:
        request = await requests.open_one(unit, new, NOON)
    model = Model(new.quorum, request.is_by_hand)
    steps = 1
    for deed, who, minutes in happens:
        now += timedelta(minutes=minutes * 3)
        before = request
        taken = await _does(asking, request, deed, who)
        request = await _read(store)
        was = model.state
        assert taken == model.takes(deed, who, due=now >= DUE)
        assert request.state is model.state
        steps += model.state is not was
        if not taken:
            assert request == before
    if model.state in {RequestState.APPROVED, RequestState.COMPLETED} and new.quorum > 1:
        assert set(request.decided_by.split(" and ")) == model.said_yes
    async with store.reading() as unit:
        assert len(await audit.entries(unit, "captain", verb="transition")) == steps
        assert await audit.verify(unit, "captain") is None
    await store.close()


async def _does(asking: Requests, request: Request, deed: str, who: str) -> bool:
    """Whether it was taken; who is not heard is told why."""
    try:
        match deed:
            case "expire":
                async with asking.store.writing() as unit:
                    return bool(await requests.expire(unit, "captain", asking.clock()))
            case "bill":
                await asking.complete(request.id, PEOPLE[who], cost="11.90")
            case _:
                await asking.decide(request.id, PEOPLE[who], approved=deed == "yes")
    except NotTaken as error:
        return not str(error)
    return True


async def _read(store: Store) -> Request:
    async with store.reading() as unit:
        found = await requests.read(unit, 1)
    assert found is not None
    return found
