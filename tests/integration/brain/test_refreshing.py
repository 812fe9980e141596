"""A refused key is renewed once, by one process, and all go on with the new one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from brain.errors import LoginRefused, Overloaded
from brain.models.provider import Key
from brain.models.refreshing import Renewing
from storage import leases
from storage.store import Store
from tests.integration.brain.locksmith import ASKED, NAME, OLD, Door, FileLogin
from tests.unit.brain.troupe import Clock, Page

PROGRAM = Path(__file__).with_name("locksmith.py")
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def stores(store: Store) -> AsyncIterator[list[Store]]:
    """One database as six processes see it."""
    url = store.url.render_as_string(hide_password=False)
    async with AsyncExitStack() as stack:
        opened = [await Store.open(url) for _ in range(6)]
        for one in opened:
            stack.push_async_callback(one.close)
        yield opened


@pytest.fixture
def login(tmp_path: Path) -> FileLogin:
    (tmp_path / "key").write_text("old")
    gate = asyncio.Event()
    gate.set()
    return FileLogin(tmp_path, gate=gate)


def renewing(door: Door, login: FileLogin, store: Store, clock: Clock) -> Renewing:
    return Renewing(door, login, store, agent="captain", now=clock.now, sleep=clock.sleep)


async def refused(provider: Renewing) -> None:
    with pytest.raises(LoginRefused, match="file:key was refused"):
        await provider.complete(ASKED, OLD)


async def test_a_key_that_is_good_is_left_alone(store: Store, login: FileLogin) -> None:
    door = Door(right="old")
    assert (await renewing(door, login, store, Clock()).complete(ASKED, OLD)).text == "Come in."
    assert (door.tried, login.renewals) == (["old"], [])


async def test_a_refused_key_is_renewed_and_used_from_then_on(
    store: Store, login: FileLogin
) -> None:
    door, page = Door(), Page()
    provider = renewing(door, login, store, Clock())
    assert (await provider.complete(ASKED, OLD, page)).text == "Come in."
    assert (page.text, page.restarts) == ("Come in.", 0)
    await provider.complete(ASKED, OLD)
    assert (door.tried, login.renewals) == (["old", "new", "new"], ["old"])


async def test_what_somebody_mended_by_hand_is_read_again(store: Store, login: FileLogin) -> None:
    door = Door(right="mended")
    (login.folder / "key").write_text("mended")
    await renewing(door, login, store, Clock()).complete(ASKED, OLD)
    assert (door.tried, login.renewals) == (["old", "mended"], [])


async def test_calls_of_one_process_share_a_renewal(store: Store, login: FileLogin) -> None:
    provider = renewing(Door(), login, store, Clock())
    answers = await asyncio.gather(*(provider.complete(ASKED, OLD) for _ in range(10)))
    assert len(answers) == 10
    assert login.renewals == ["old"]


async def test_stores_that_race_renew_once(stores: list[Store], login: FileLogin) -> None:
    login.gate = None
    doors = [Door() for _ in stores]
    clock = Clock()
    answers = await asyncio.gather(
        *(
            Renewing(door, login, store, agent=f"agent-{n}", now=clock.now).complete(ASKED, OLD)
            for n, (door, store) in enumerate(zip(doors, stores, strict=True))
        )
    )
    assert [answer.text for answer in answers] == ["Come in."] * 6
    assert login.renewals == ["old"]
    assert all(door.tried == ["old", "new"] for door in doors)


async def test_processes_that_race_renew_once(store: Store, login: FileLogin) -> None:
    url = store.url.render_as_string(hide_password=False)
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), url, str(login.folder), f"agent-{n}"),
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for n in range(3)
    ]
    try:
        async with asyncio.timeout(60):
            for racer in racers:
                assert racer.stdout is not None
                assert await racer.stdout.readline() == b"ready\n"
            told = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    finally:
        for racer in racers:
            if racer.returncode is None:
                racer.kill()
                await racer.wait()
    assert [out for out, _ in told] == [b"Come in.\n"] * 3
    assert login.renewals == ["old"]


async def test_a_failed_renewal_is_not_repeated_for_a_minute(
    stores: list[Store], login: FileLogin
) -> None:
    login.new = None
    clock = Clock()
    providers = [renewing(Door(), login, store, clock) for store in stores]
    for provider in providers:
        await refused(provider)
    assert (login.renewals, clock.slept) == (["old"], [])
    clock.turn(59.9)
    await refused(providers[0])
    assert login.renewals == ["old"]
    clock.turn(0.1)
    login.new = "new"
    await providers[1].complete(ASKED, OLD)
    assert login.renewals == ["old", "old"]


async def test_a_new_key_that_is_refused_too_is_not_renewed_at_once(
    store: Store, login: FileLogin
) -> None:
    clock, door = Clock(), Door(right="newest")
    provider = renewing(door, login, store, clock)
    for _ in range(3):
        await refused(provider)
    assert login.renewals == ["old"]
    clock.turn(60)
    login.new = "newest"
    await provider.complete(ASKED, OLD)
    assert login.renewals == ["old", "new"]
    assert door.tried == ["old", "new", "new", "new", "new", "newest"]


async def test_who_waits_for_a_dead_process_waits_briefly(store: Store, login: FileLogin) -> None:
    clock = Clock()
    async with store.writing() as unit:
        for lease in ("renewed", "renewing"):
            await leases.acquire(unit, f"{lease}:{NAME}", "dead", now=clock.now(), ttl_s=60)
    await refused(renewing(Door(), login, store, clock))
    assert clock.elapsed_s == 10
    assert login.renewals == []


async def test_without_the_store_nothing_is_renewed(store: Store, login: FileLogin) -> None:
    provider = renewing(Door(), login, store, Clock())
    await store.close()
    await refused(provider)
    assert login.renewals == []


async def test_who_is_cancelled_leaves_and_the_renewal_is_ended(
    store: Store, login: FileLogin
) -> None:
    login.gate = asyncio.Event()
    door = Door()
    provider = renewing(door, login, store, Clock())
    task = asyncio.create_task(provider.complete(ASKED, OLD))
    await login.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = asyncio.create_task(provider.complete(ASKED, OLD))
    login.gate.set()
    await second
    assert (door.tried, login.renewals) == (["old", "old", "new"], ["old"])


async def test_other_failures_pass_and_renew_nothing(store: Store, login: FileLogin) -> None:
    class Busy(Door):
        async def complete(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise Overloaded("busy")

    with pytest.raises(Overloaded):
        await renewing(Busy(), login, store, Clock()).complete(ASKED, OLD)
    assert login.renewals == []


async def test_a_provider_without_keys_has_nothing_to_renew(store: Store, login: FileLogin) -> None:
    door = Door()
    provider = renewing(door, login, store, Clock())
    await provider.complete(ASKED, None)
    await provider.close()
    assert (door.tried, door.closed) == ([""], True)
    assert provider.capabilities is door.capabilities


async def test_each_key_is_renewed_for_itself(store: Store, login: FileLogin) -> None:
    provider = renewing(Door(), login, store, Clock())
    await provider.complete(ASKED, OLD)
    (login.folder / "key").write_text("spare")
    await provider.complete(ASKED, Key(name="file:other", value="spare"))
    assert login.renewals == ["old", "spare"]
