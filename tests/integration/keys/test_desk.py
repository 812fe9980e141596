"""Pairs of agents are made, replaced and mended by themselves; secrets of senders by people."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bots.keys.keystore import KeyRefused
from bots.keys.master import MasterUnavailable
from bots.keys.resealing import give_up, reseal
from bots.keys.sealing import Master
from bots.keys.signer import genuine
from storage import audit, keys
from storage.key_life import KeyState
from storage.store import Store
from tests.integration.keys.office import Office, settings

GITHUB = {"github": {"may_delegate_to": ["captain"]}}


def by_reference(path: Path, secret: str) -> dict[str, object]:
    path.write_text(secret)
    path.chmod(0o600)
    return {"github": {"may_delegate_to": ["captain"], "secret": f"file:{path}"}}


async def states(office: Office, owner: str) -> list[KeyState]:
    rows = await office.desk().keystore.of_owner(owner)
    return [row.life.state(office.now) for row in rows]


# --- agents -------------------------------------------------------------------------------------


async def test_an_agent_gets_one_pair_and_keeps_it_over_restarts(store: Store) -> None:
    office = Office(store, settings())
    signers = [await office.desk().ring.signer_of("captain") for _ in range(4)]
    assert len({one.key_id for one in signers}) == 1
    async with store.writing() as unit:
        row = await keys.verifying(unit, signers[0].key_id, office.now)
    assert row is not None
    assert all(genuine(row, b"m", one.sign(b"m")) for one in signers)


async def test_one_desk_asked_by_many_makes_one_pair(store: Store) -> None:
    office = Office(store, settings())
    desk = office.desk()
    signers = await asyncio.gather(*(desk.ring.signer_of("captain") for _ in range(6)))
    assert len({one.key_id for one in signers}) == 1


async def test_a_week_before_its_end_it_is_replaced_and_both_verify(store: Store) -> None:
    office = Office(store, settings())
    old = await office.desk().ring.signer_of("captain")
    office.later(days=82)
    assert (await office.desk().ring.signer_of("captain")).key_id == old.key_id
    office.later(days=1)
    new = await office.desk().ring.signer_of("captain")
    assert new.key_id != old.key_id
    assert await states(office, "captain") == [KeyState.VERIFIES, KeyState.SIGNS]
    office.later(hours=24)
    assert await states(office, "captain") == [KeyState.EXPIRED, KeyState.SIGNS]


async def test_after_a_year_away_there_is_a_new_one(store: Store) -> None:
    office = Office(store, settings())
    await office.desk().ring.signer_of("captain")
    office.later(days=365)
    await office.desk().ring.signer_of("captain")
    assert await states(office, "captain") == [KeyState.EXPIRED, KeyState.SIGNS]


async def test_a_revoked_one_is_replaced_without_overlap(store: Store) -> None:
    office = Office(store, settings())
    old = await office.desk().ring.signer_of("captain")
    await office.desk().revoke(old.key_id, "alice", "laptop stolen")
    office.later(hours=1)
    new = await office.desk().ring.signer_of("captain")
    assert new.key_id != old.key_id
    assert await states(office, "captain") == [KeyState.REVOKED, KeyState.SIGNS]
    with pytest.raises(KeyRefused, match="was revoked at 2026-11-20"):
        await office.desk().revoke(old.key_id, "alice", "")


async def test_another_master_key_means_another_pair(store: Store) -> None:
    office = Office(store, settings())
    old = await office.desk().ring.signer_of("captain")
    office.master = Master.new()
    office.later(hours=1)
    new = await office.desk().ring.signer_of("captain")
    assert new.key_id != old.key_id
    assert "key.sealed_by_another" in office.log.events()
    assert await states(office, "captain") == [KeyState.VERIFIES, KeyState.SIGNS]


async def test_without_a_master_key_nothing_is_made(store: Store) -> None:
    office = Office(store, settings(), master=None)
    with pytest.raises(MasterUnavailable):
        await office.desk().ring.signer_of("captain")
    assert await states(office, "captain") == []


async def test_no_secret_reaches_the_store_the_audit_or_the_log(store: Store) -> None:
    office = Office(store, settings(GITHUB))
    desk = office.desk()
    signer = await desk.ring.signer_of("captain")
    made = await desk.create("github", "alice")
    assert made.secret is not None
    hidden = [signer.secret.get_secret_value(), made.secret.get_secret_value()]
    assert office.master is not None
    hidden.append(office.master.text)
    async with store.reading() as unit:
        rows = [(k, k.sealed, k.public) for k in await keys.every(unit)]
        entries = await audit.entries(unit)
    shown = f"{rows} {entries} {office.log} {made!r} {desk.keystore!r} {signer!r}"
    assert not [secret for secret in hidden if secret in shown]


# --- senders ------------------------------------------------------------------------------------


async def test_a_secret_of_our_making_is_shown_once(store: Store) -> None:
    office = Office(store, settings(GITHUB))
    made = await office.desk().create("github", "alice")
    assert made.secret is not None
    assert len(made.secret.get_secret_value()) >= 40
    assert await office.secrets_for("captain") == {made.key.key_id: made.secret}
    assert await office.secrets_for("rook") == {}
    with pytest.raises(KeyRefused, match="rotate it, or revoke it first"):
        await office.desk().create("github", "alice")


async def test_a_rotated_sender_is_heard_with_both_for_the_overlap(store: Store) -> None:
    office = Office(store, settings(GITHUB))
    old = await office.desk().create("github", "alice")
    new = await office.desk().rotate("github", "alice")
    both = {old.key.key_id, new.key.key_id}
    assert set(await office.secrets_for("captain")) == both
    office.later(hours=24)
    assert set(await office.secrets_for("captain")) == {new.key.key_id}
    assert await office.desk().revoke("github", "alice", "") != []
    assert await office.secrets_for("captain") == {}
    await office.desk().create("github", "alice")


async def test_a_reference_is_followed_once_for_each_secret(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    office = Office(store, settings(by_reference(secret, "first-secret-4711")))
    for _ in range(3):
        await office.desk().senders.follow()
    assert await states(office, "github") == [KeyState.SIGNS]
    with pytest.raises(KeyRefused, match="change it there first"):
        await office.desk().rotate("github", "alice")
    by_reference(secret, "second-secret-4711")
    office.later(hours=1)
    made = await office.desk().rotate("github", "alice")
    assert made.secret is None
    assert await states(office, "github") == [KeyState.VERIFIES, KeyState.SIGNS]
    found = await office.secrets_for("captain")
    assert found[made.key.key_id].get_secret_value() == "second-secret-4711"


async def test_what_was_revoked_does_not_come_back_by_a_restart(
    store: Store, tmp_path: Path
) -> None:
    office = Office(store, settings(by_reference(tmp_path / "secret", "first-secret-4711")))
    await office.desk().senders.follow()
    await office.desk().revoke("github", "alice", "it leaked")
    await office.desk().senders.follow()
    assert await states(office, "github") == [KeyState.REVOKED]
    # Not by losing the master key either: nobody could tell that it is the same.
    office.master = Master.new()
    await office.desk().senders.follow()
    assert await states(office, "github") == [KeyState.REVOKED]
    assert "nobody can tell" in office.log[-1][1]["why"]


@pytest.mark.parametrize(("secret", "why"), [("short", "fewer than 16"), ("", "is empty")])
async def test_a_reference_that_leads_to_nothing_good_leaves_what_was_there(
    store: Store, tmp_path: Path, secret: str, why: str
) -> None:
    office = Office(store, settings(by_reference(tmp_path / "secret", "first-secret-4711")))
    await office.desk().senders.follow()
    by_reference(tmp_path / "secret", secret)
    await office.desk().senders.follow()
    assert await states(office, "github") == [KeyState.SIGNS]
    assert why in office.log[-1][1]["why"]
    with pytest.raises(KeyRefused, match=why):
        await office.desk().rotate("github", "alice")


async def test_what_cannot_be_done_says_what_can(store: Store, tmp_path: Path) -> None:
    office = Office(store, settings(by_reference(tmp_path / "secret", "first-secret-4711")))
    desk = office.desk()
    for wish, why in (
        (desk.create("captain", "alice"), "the swarm makes its key by itself"),
        (desk.create("gitlab", "alice"), r"\[hooks.senders.gitlab\] may_delegate_to"),
        (desk.create("github", "alice"), "as swarm.toml says"),
        (desk.rotate("captian", "alice"), "did you mean captain"),
        (desk.revoke("k9", "alice", ""), "no key, and no owner"),
    ):
        with pytest.raises(KeyRefused, match=why):
            await wish


# --- another master key -------------------------------------------------------------------------


async def test_everything_is_sealed_anew_and_stays_what_it_is(store: Store) -> None:
    office = Office(store, settings(GITHUB))
    signer = await office.desk().ring.signer_of("captain")
    made = await office.desk().create("github", "alice")
    old, office.master = office.source(), Master.new()
    done = await reseal(office.desk().keystore, lambda: old, "alice")
    assert (done.count, done.unopened) == (2, ())
    assert (await office.desk().ring.signer_of("captain")) == signer
    assert await office.secrets_for("captain") == {made.key.key_id: made.secret}


async def test_what_nobody_opens_is_revoked_only_when_a_person_says_so(store: Store) -> None:
    office = Office(store, settings(GITHUB))
    await office.desk().create("github", "alice")
    office.master = Master.new()
    keystore = office.desk().keystore
    done = await reseal(keystore, Master.new, "alice")
    assert done.count == 0
    assert [key.owner for key in done.unopened] == ["github"]
    assert await states(office, "github") == [KeyState.SIGNS]
    assert len(await give_up(keystore, done.unopened, "alice")) == 1
    assert await states(office, "github") == [KeyState.REVOKED]
    await office.desk().create("github", "alice")
