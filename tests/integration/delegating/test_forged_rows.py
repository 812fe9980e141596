"""Rows that no desk wrote: whoever can write the database cannot stop an agent with them, nor have
its name put under their words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bots.clock import utc_now
from bots.delegating import seal
from storage import delegations
from storage.core import AGENT, DELEGATION, run
from storage.delegation_tables import Delegation
from storage.delegations import NewDelegation
from storage.store import Store
from tests.integration.delegating.office import Office, office


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


async def change(crew: Office, given: Delegation, **values: Any) -> None:
    async with crew.store.writing() as unit:
        where = DELEGATION.c.id == given.id
        await run(unit, sa.update(DELEGATION).where(where).values(**values))


def made(**values: Any) -> NewDelegation:
    now = utc_now()
    usual: dict[str, Any] = {
        "code": "D-forged",
        "instruction": "summarise what was said",
        "issued_at": now - timedelta(seconds=30),
        "expires_at": now + timedelta(hours=1),
        "asked_by": "shell",
        "priority": 5,
        "tries": 3,
        "trace_id": "forged",
    }
    return NewDelegation(**usual | values)


@pytest.mark.parametrize("chain", ["nonsense", "5", "null", '{"a": 1}', "[5]", '["captain", []]'])
async def test_a_chain_that_is_none_stops_nobody(crew: Office, chain: str) -> None:
    secretary = await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary")
    await change(crew, given, chain=chain)
    secretary.starts()
    after = await crew.give("captain", "secretary", "the next one")
    assert (await crew.ended("captain", after)).state == "done"
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.claim) == ("failed", 1)
    assert ended.error.startswith("refused: it cannot be read")


@pytest.mark.parametrize("where", ["nonsense", "irc:#reports nonsense"])
async def test_an_address_that_is_none_stops_nobody(crew: Office, where: str) -> None:
    """Signed by an agent that may give work to the captain, with its own key."""
    new = made(sender="harvester", agent="captain", chain=("harvester",), deliver_to=where)
    signed = seal.sealed(new, crew["harvester"].desk.signer())
    async with crew.store.writing() as unit:
        given, _ = await delegations.add(unit, signed)
    crew["captain"].hands.nudge()
    ended = await crew.ended("harvester", given)
    assert ended.state == "failed"
    assert "'nonsense' is no target" in ended.error
    after = await crew.give("captain", "captain", "the next one")
    assert (await crew.ended("captain", after)).state == "done"


async def test_a_result_for_nowhere_stops_nobody(crew: Office) -> None:
    given = await crew.give("captain", "secretary")
    await crew.ended("captain", given)
    await change(crew, given, deliver="owed", deliver_by="captain", deliver_to="nonsense")
    crew["captain"].hands.nudge()
    ended = await crew.ended("captain", given)
    assert ended.deliver == "failed"
    assert "'nonsense' is no target" in ended.delivered_proof


async def test_nobody_signs_again_what_others_changed(crew: Office) -> None:
    secretary = await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary", "buy a pen")
    await change(crew, given, instruction="buy a castle")
    assert await crew["captain"].desk.say_later(given.code, "irc:#reports") is None
    secretary.starts()
    ended = await crew.ended("captain", given)
    assert ended.state == "failed"
    assert ended.error.startswith("refused: its signature is not captain's")


async def test_nobody_gives_on_in_his_name_what_he_did_not_give(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    new = made(
        sender="captain",
        agent="secretary",
        chain=("captain",),
        chosen="the best",
        key_id="nobody's",
        signature="none",
    )
    async with crew.store.writing() as unit:
        given, _ = await delegations.add(unit, new)
        down = sa.update(AGENT).where(AGENT.c.name == "secretary")
        await run(unit, down.values(state="stopped"))
    await crew["captain"].hands.rerouting.look()
    found = await crew["captain"].desk.read(given.code)
    assert found is not None
    assert (found.agent, found.key_id, found.state) == ("secretary", "nobody's", "queued")
