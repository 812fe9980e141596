"""The doctor says what is wrong with keys, and how to mend it; it makes none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.doctor.finding import Finding, Level
from bots.doctor.keys import keys
from bots.keys.master import default_file, source_of
from bots.keys.sealing import Master
from bots.settings import Settings
from bots.state import StateFolder, write_private
from storage.migrate import upgrade
from storage.store import Store
from tests.integration.keys.office import NOON, Office, settings

GITHUB = {"github": {"may_delegate_to": ["captain"]}}


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / ".parley")


async def ran(state: StateFolder, found: Settings) -> Store:
    """What a first start leaves: a store, a master key, a pair for each agent."""
    state.create()
    store = await Store.open(f"sqlite:///{state.database}")
    await upgrade(store, state.path / "migrate.lock")
    office = Office(store, found, master=source_of(found, state)())
    desk = office.desk()
    for agent in found.agents:
        await desk.ring.signer_of(agent.name)
    await desk.senders.follow()
    for name, sender in found.hooks.senders.items():
        if sender.secret is None:
            await desk.create(name, "alice")
    await store.close()
    return store


async def said(state: StateFolder, found: Settings, **later: Any) -> list[Finding]:
    return [finding async for finding in keys(found, state, NOON + timedelta(**later))]


async def one(state: StateFolder, found: Settings, **later: Any) -> Finding:
    [finding] = await said(state, found, **later)
    return finding


async def test_before_the_first_start_all_is_well_and_nothing_is_made(state: StateFolder) -> None:
    assert (await one(state, settings())).level is Level.OK
    assert not state.path.exists()


async def test_young_keys_are_well(state: StateFolder) -> None:
    found = settings(GITHUB)
    await ran(state, found)
    finding = await one(state, found)
    assert (finding.level, finding.says) == (Level.OK, "3 keys in use, none near its end")


async def test_two_weeks_before_their_end_they_are_named(state: StateFolder) -> None:
    found = settings(GITHUB, agents=("captain",))
    await ran(state, found)
    mine, theirs = await said(state, found, days=77)
    assert {mine.level, theirs.level} == {Level.WARN}
    assert "captain-" in mine.says
    assert "7 days before, if it runs" in mine.mend
    assert "github-" in theirs.says
    assert "expires at 2027-02-18 12:00" in theirs.says
    assert "give github the secret" in theirs.mend
    assert any("no key" in f.says for f in await said(state, found, days=91))


async def test_a_master_key_that_is_gone_while_keys_are_sealed(state: StateFolder) -> None:
    await ran(state, settings())
    default_file(state).unlink()
    finding = await one(state, settings())
    assert finding.level is Level.FAIL
    assert "master.key is gone from secrets, and it sealed 2 keys" in finding.says
    assert "reseal --lost" in finding.mend
    assert not default_file(state).exists()


async def test_a_master_key_that_others_can_read(state: StateFolder) -> None:
    await ran(state, settings())
    default_file(state).chmod(0o644)
    finding = await one(state, settings())
    assert finding.level is Level.FAIL
    assert "chmod 600" in finding.says


async def test_another_master_key(state: StateFolder) -> None:
    found = settings(GITHUB)
    await ran(state, found)
    write_private(default_file(state), Master.new().text)
    senders, agents = await said(state, found)
    assert (senders.level, agents.level) == (Level.FAIL, Level.WARN)
    assert "secrets of github" in senders.says
    assert "keys of captain, rook" in agents.says


async def test_a_master_key_that_nobody_gave(state: StateFolder) -> None:
    finding = await one(state, settings(master="env:PARLEY_NO_SUCH_MASTER"))
    assert finding.level is Level.FAIL
    assert "not set" in finding.says
    assert "export PARLEY_NO_SUCH_MASTER" in finding.mend


async def test_a_sender_without_a_secret(state: StateFolder, tmp_path: Path) -> None:
    finding = await one(state, settings(GITHUB))
    assert (finding.level, finding.mend) == (Level.WARN, "run.py keys create github")
    secret = tmp_path / "secret"
    write_private(secret, "secret-4711-secret")
    found = settings({"github": {"secret": f"file:{secret}"}}, agents=("captain",))
    await ran(state, found)
    assert (await one(state, found)).level is Level.OK
    expired = [f.says for f in await said(state, found, days=91)]
    assert "the key of the sender github expired or was revoked" in expired
    secret.unlink()
    finding = await one(state, found)
    assert finding.level is Level.FAIL
    assert "hooks.senders.github.secret" in finding.says
