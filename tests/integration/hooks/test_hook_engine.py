"""The door before the real engine: proof, nonce, audit and row are one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from bots.clock import utc_now
from bots.control.door import Body
from bots.hook_settings import HookSettings
from bots.hooks.door import HookDoor
from bots.hooks.making import hook_room
from bots.keys.signer import new_id, new_secret
from bots.secrets import Redactor
from storage import delegations, keys
from storage.core import AUDIT
from storage.key_life import OVERLAP
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.latch import LatchFile
from storage.migrate import upgrade
from storage.store import Store
from tests.hmac_sender import HmacSender
from tests.integration.delegating.office import Office, office
from tests.integration.hooks.stage import TOKEN, signed

HOOKS = HookSettings.model_validate({"senders": {"cron": {"may_delegate_to": ["captain"]}}})
BODY = {"message": "count the mixers"}


@dataclass
class Front:
    crew: Office
    signer: HmacSender
    url: str
    http: aiohttp.ClientSession

    async def post(self, body: Any, token: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.url}/hooks/agent"
        async with self.http.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def rows(self) -> list[str]:
        async with self.crew.store.reading() as unit:
            return [row.code for row in await delegations.recent(unit, 100)]

    async def acts(self) -> list[str]:
        """What the guard decided of handing out work."""
        async with self.crew.store.reading() as unit:
            query = sa.select(AUDIT.c.outcome).where(AUDIT.c.verb == "delegate")
            return list((await unit.execute(query)).scalars())


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with AsyncExitStack() as stack:
        store = await Store.open(f"sqlite:///{tmp_path / 'parley.sqlite'}")
        stack.push_async_callback(store.close)
        await upgrade(store, tmp_path / "upgrade.lock")
        crew = await stack.enter_async_context(office(store, tmp_path, hire=()))
        crew.settings = crew.settings.model_copy(update={"hooks": HOOKS})
        captain = await crew.hire("captain")
        signer = await sender_key(store)
        spec = captain.spec.model_copy(update={"hook_token": SecretStr(TOKEN)})
        room = hook_room(
            spec,
            store=store,
            desk=captain.desk,
            secret_of={signer.key_id: signer.secret}.get,
            authority=captain.desk.authority,
            latch=captain.desk.latch,
            redactor=Redactor(spec.secrets()),
            log=structlog.get_logger(),
        )
        door = HookDoor(room, spec.settings.hooks, token="control", health=_health, steering={})
        await door.open()
        stack.push_async_callback(door.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Front(crew, signer, door.url, http)


async def sender_key(store: Store) -> HmacSender:
    secret = new_secret()
    new = keys.NewKey(
        key_id=new_id("cron"),
        owner="cron",
        kind=KeyKind.SENDER,
        alg=KeyAlgorithm.HMAC_SHA256,
        sealed="not-sealed-here",
        master="test",
        expires_at=utc_now() + timedelta(days=1),
    )
    await store.write(lambda unit: keys.add(unit, new, by="test", now=utc_now(), overlap=OVERLAP))
    return HmacSender(new.key_id, secret)


async def test_a_signed_hook_is_done_and_comes_back(front: Front) -> None:
    body = {**BODY, "wait": 30}
    status, answer = await front.post(signed(front.signer, "cron", body))
    assert (status, answer["status"], answer["result"]) == (200, "done", "captain did it")
    assert await front.acts() == ["permitted"]


async def test_a_script_hands_work_on(front: Front) -> None:
    await front.crew.hire("secretary")
    body = {**BODY, "agentId": "secretary", "wait": 30}
    status, answer = await front.post(body, TOKEN)
    assert (status, answer["agent"], answer["result"]) == (200, "secretary", "secretary did it")


async def test_a_word_to_think_about_is_thought_about(front: Front) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{front.url}/hooks/wake"
    async with front.http.post(url, json={"text": "mail came"}, headers=headers) as response:
        code = (await response.json())["id"]
    ended = await front.crew["captain"].desk.wait(code, 30)
    assert (ended.kind, ended.state, ended.deliver) == ("wake", "done", "")


async def test_a_forged_one_leaves_no_row_and_no_act(front: Front) -> None:
    envelope = {**signed(front.signer, "cron", BODY), "signature": "forged"}
    status, answer = await front.post(envelope)
    assert (status, answer["code"]) == (401, "forged")
    assert await front.rows() == await front.acts() == []
    # It was not used up either.
    good = signed(front.signer, "cron", BODY, nonce=envelope["nonce"])
    assert (await front.post(good))[0] == 202


async def test_what_repeats_uses_its_nonce_and_nothing_else(front: Front) -> None:
    first = signed(front.signer, "cron", BODY)
    again = signed(front.signer, "cron", BODY, id=first["id"])
    _, one = await front.post(first)
    _, two = await front.post(again)
    assert one["id"] == two["id"]
    for envelope in (first, again):
        status, answer = await front.post(envelope)
        assert (status, answer["code"]) == (409, "replayed")
    assert await front.acts() == ["permitted"]
    other = signed(front.signer, "cron", {"message": "x"}, id=first["id"])
    status, answer = await front.post(other)
    assert (status, answer["code"]) == (409, "reused")


async def test_who_has_proved_nothing_is_not_told_what_is_wrong(front: Front) -> None:
    LatchFile(front.crew.state.latch).kill("all", "alice", "test", "", utc_now())
    for body in (BODY, {"message": ""}, {**BODY, "agentId": "nobody"}):
        envelope = {**signed(front.signer, "cron", body), "signature": "forged"}
        status, answer = await front.post(envelope)
        assert (status, answer["code"]) == (401, "forged")
    told = [await front.post(signed(front.signer, "cron", body)) for body in (BODY, {"message": 1})]
    assert [(s, a["code"]) for s, a in told] == [(503, "killed"), (400, "bad_field")]


async def test_the_engines_own_no_has_its_code(front: Front) -> None:
    status, answer = await front.post({**BODY, "agentId": "secretry"}, TOKEN)
    assert (status, answer["code"]) == (404, "unknown_agent")
    assert "did you mean secretary?" in answer["error"]
    status, answer = await front.post({**BODY, "channel": "irc:#nowhere"}, TOKEN)
    assert (status, answer["code"]) == (400, "not_given")
    assert "#nowhere" in answer["error"]


def _health() -> Body:
    return {"state": "ready"}
