"""Who runs has the key that it ought to have: at its birth, after a change, after trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bots.control.door import BadRequest, Steer, Unavailable
from bots.keys.holding import AgentKeys, NoKey
from bots.keys.sealing import Master
from bots.supervisor.handing import Handing
from bots.supervisor.key_orders import KeyOrders
from storage import keys
from storage.core import SIGNING_KEY, run
from storage.store import Store
from tests.acceptance.stage import until
from tests.integration.counting import CountingStore
from tests.integration.keys.office import Office, settings
from tests.schema import give_schema

GITHUB = {"github": {"may_delegate_to": ["captain"]}}


@dataclass
class Child:
    """An agent as far as handing knows one; what it is sent it takes, as the real one does."""

    name: str
    hears: bool = True
    hidden: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = AgentKeys(self.hidden.append)

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self.keys.take(message)


@dataclass
class Scene:
    office: Office
    handing: Handing
    children: dict[str, Child]
    routes: dict[tuple[str, str], Steer]

    async def born(self, name: str) -> None:
        hand = await self.handing.prepare(name)
        if hand.signer is not None:
            self.children[name].keys.sign_with(hand.signer.key_id, hand.signer.secret)
        self.children[name].keys.hear(hand.senders)
        self.children[name].hears = True

    async def order(self, verb: str, **body: Any) -> dict[str, Any]:
        return await self.routes["POST", f"/control/keys/{verb}"](body)

    async def verifies(self, key_id: str) -> bool:
        async with self.office.store.writing() as unit:
            return await keys.verifying(unit, key_id, self.office.now) is not None


def scene(
    store: Store,
    agents: tuple[str, ...] = ("captain", "rook"),
    senders: dict[str, Any] = GITHUB,
    **more: Any,
) -> Scene:
    office = Office(store, settings(senders, agents), **more)
    children = {name: Child(name, hears=False) for name in agents}
    desk = office.desk()
    handing = Handing(desk, children, office.log)  # type: ignore[arg-type]
    return Scene(office, handing, children, KeyOrders(desk, handing).routes())


@asynccontextmanager
async def running(handing: Handing) -> AsyncIterator[None]:
    task = asyncio.create_task(handing.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_is_born_signs_at_once_and_is_sent_nothing_more(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    assert await one.verifies(captain.keys.signer.key_id)
    await one.handing.look()
    assert captain.sent == []


async def test_a_rotation_reaches_who_runs_before_it_is_answered(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    old = captain.keys.signer.key_id
    made = await one.order("rotate", owner="captain", by="alice")
    assert captain.keys.signer.key_id == made["key_id"] != old
    assert "secret" not in made
    assert await one.verifies(old)
    assert await one.verifies(made["key_id"])


@pytest.mark.parametrize(("verb", "whose"), [("create", "sender"), ("rotate", "owner")])
async def test_what_was_made_is_told_though_nobody_can_be_given_it_now(
    store: Store, tmp_path: Path, verb: str, whose: str
) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    if verb == "rotate":
        await one.order("create", sender="github")
    away = await Store.open(f"sqlite:///{tmp_path}/away.sqlite")
    await away.close()
    hands = Office(away, settings(GITHUB), master=one.office.master)
    handing = Handing(hands.desk(), one.children, one.office.log)  # type: ignore[arg-type]
    made = await KeyOrders(one.office.desk(), handing).routes()["POST", f"/control/keys/{verb}"](
        {whose: "github"}
    )
    assert await one.verifies(made["key_id"])
    hands.store = store
    assert handing._look.is_set(), "it is given as soon as the store answers"
    async with running(handing):
        await until(lambda: made["key_id"] in captain.keys.sender_ids, "it was given the secret")
    assert captain.keys.secret_of(made["key_id"]) == SecretStr(made["secret"])


async def test_who_is_being_born_while_it_happens_gets_it_then(store: Store) -> None:
    one = scene(store)
    captain = one.children["captain"]
    await one.born("captain")
    captain.hears = False  # its spec is made, its lifeline not open yet
    made = await one.order("rotate", owner="captain")
    assert captain.sent == []
    captain.hears = True
    async with running(one.handing):
        one.handing.wake()
        await until(lambda: captain.keys.key_id == made["key_id"], "it was given the new one")


async def test_a_revoked_key_is_dead_at_once_and_its_agent_gets_another(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    old = captain.keys.signer.key_id
    async with running(one.handing):
        assert await one.order("revoke", key=old, by="alice") == {"revoked": [old]}
        assert not await one.verifies(old)
        await until(lambda: captain.keys.key_id != old, "it was given another")
    assert await one.verifies(captain.keys.signer.key_id)


async def test_a_change_on_another_machine_is_seen(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    made = await one.office.desk().rotate("captain", "bob, elsewhere")
    await one.handing.look()
    assert captain.keys.key_id == made.key.key_id


async def test_a_secret_goes_to_those_that_its_sender_may_address(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    await one.born("rook")
    captain, rook = one.children["captain"], one.children["rook"]
    made = await one.order("create", sender="github", by="alice")
    assert captain.keys.secret_of(made["key_id"]) == SecretStr(made["secret"])
    assert made["secret"] in captain.hidden
    assert rook.keys.sender_ids == []
    assert rook.sent == []
    await one.order("revoke", key="github")
    await one.handing.look()
    assert captain.keys.sender_ids == []


async def test_without_the_master_key_agents_live_and_get_theirs_later(store: Store) -> None:
    one = scene(store, master=None)
    await one.born("captain")
    captain = one.children["captain"]
    with pytest.raises(NoKey, match=r"run\.py doctor"):
        _ = captain.keys.signer
    assert one.handing.trouble == "the master key: nobody answers"
    assert "keys.unavailable" in one.office.log.events()
    with pytest.raises(Unavailable, match="nobody answers"):
        await one.order("rotate", owner="captain")
    await one.handing.look()
    await one.born("rook")
    assert one.office.asked == 1, "nobody waits for it twice in a moment"
    one.office.master = Master.new()
    one.office.later(seconds=5)
    await one.handing.look()
    assert await one.verifies(captain.keys.signer.key_id)
    assert one.handing.trouble == ""
    assert one.office.log.events().count("keys.unavailable") == 1


class Opened(Master):
    """Counts what it opens."""

    times = 0

    def unseal(self, sealed: str, *, key_id: str, owner: str) -> SecretStr:
        Opened.times += 1
        return super().unseal(sealed, key_id=key_id, owner=owner)


async def test_a_look_reads_all_keys_once_and_opens_none_that_was_given(tmp_path: Path) -> None:
    store = CountingStore(f"sqlite:///{tmp_path}/counted.sqlite")
    await give_schema(store)
    master = Opened(Master.new().key)
    one = scene(store, ("captain", "rook", "knight", "bishop"), master=master)
    for name in one.children:
        await one.born(name)
    await one.order("create", sender="github", by="alice")
    sent = {name: len(child.sent) for name, child in one.children.items()}
    store.taken = Opened.times = 0
    await one.handing.look()
    assert (store.taken, Opened.times) == (1, 0)
    assert {name: len(child.sent) for name, child in one.children.items()} == sent
    await store.close()


async def test_what_opens_no_more_is_told_and_its_agent_gets_another(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    old = captain.keys.key_id
    async with store.writing() as unit:
        await run(unit, sa.update(SIGNING_KEY).values(sealed="bm9uc2Vuc2U="))
    await one.handing.look()
    assert "key.sealed_by_another" in one.office.log.events()
    assert captain.keys.key_id != old
    assert await one.verifies(captain.keys.key_id)


async def test_who_runs_gets_another_before_its_key_ends(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    old = captain.keys.key_id
    one.office.later(days=89)
    await one.handing.look()
    assert captain.keys.key_id != old
    assert await one.verifies(old), "what is under way is heard still"


async def test_a_secret_is_taken_away_at_the_end_of_its_overlap(store: Store) -> None:
    one = scene(store)
    await one.born("captain")
    captain = one.children["captain"]
    old = await one.order("create", sender="github", by="alice")
    new = await one.order("rotate", owner="github", by="alice")
    assert captain.keys.sender_ids == sorted([old["key_id"], new["key_id"]])
    one.office.later(hours=24)
    await one.handing.look()
    assert captain.keys.sender_ids == [new["key_id"]]


async def test_a_new_secret_behind_a_reference_is_given_in_the_same_look(
    store: Store, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first-secret-4711", encoding="utf-8")
    secret.chmod(0o600)
    github = {"secret": f"file:{secret}", "may_delegate_to": ["captain"]}
    one = scene(store, senders={"github": github})
    await one.born("captain")
    captain = one.children["captain"]
    await one.handing.look()
    [first] = captain.keys.sender_ids
    secret.write_text("second-secret-4711", encoding="utf-8")
    await one.handing.look()
    assert len(captain.keys.sender_ids) == 2
    assert first in captain.keys.sender_ids


async def test_a_reference_that_leads_nowhere_is_told_once_for_each_reason(
    store: Store, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    github = {"secret": f"file:{secret}", "may_delegate_to": ["captain"]}
    one = scene(store, senders={"github": github})

    async def told(words: str | None) -> int:
        if words is not None:
            secret.write_text(words, encoding="utf-8")
            secret.chmod(0o600)
        await one.handing.look()
        return one.office.log.events().count("sender.unchanged")

    assert [await told(None), await told(None)] == [1, 1]
    assert [await told("short"), await told("short")] == [2, 2]
    assert await told("long-enough-secret-4711") == 2
    assert await told("short") == 3


async def test_what_expires_is_told_once_two_weeks_before(store: Store) -> None:
    one = scene(store)
    made = await one.order("create", sender="github")
    one.office.later(days=75)
    await one.handing.look()
    assert "key.expires" not in one.office.log.events()
    one.office.later(days=2)
    await one.handing.look()
    await one.handing.look()
    told = [facts for event, facts in one.office.log if event == "key.expires"]
    assert [facts["key_id"] for facts in told] == [made["key_id"]]


async def test_an_order_that_cannot_be_carried_out_is_refused_in_words(store: Store) -> None:
    one = scene(store)
    with pytest.raises(BadRequest, match="did you mean captain"):
        await one.order("rotate", owner="captian")
    with pytest.raises(BadRequest, match="'owner' must be a text"):
        await one.order("rotate", owner=7)
    with pytest.raises(BadRequest, match="no key, and no owner"):
        await one.order("revoke", key="k9")
