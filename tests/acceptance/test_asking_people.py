"""An agent asks people for a payment: over a restart of everything and a dead captain it is
decided, done, and the agent goes on by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.guild_commands import use
from tests.acceptance.stage import PATIENCE_S, Swarm, kill_process, until
from tests.integration.people.gateways import Gateway, gateway
from tests.vendors.replies import by_words
from tests.vendors.script import Script
from tests.vendors.server import Stub, serving

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
KEY = "sk-a-key-of-the-tests-that-is-no-key"
TABLE = (
    '[swarm]\nname = "test"\nstandup = ""\n[console]\nenabled = false\n[heartbeat]\nevery_s = 0\n'
)
CASE = {
    "kind": "payment",
    "title": "GPU hours",
    "reason": "the index takes nine days here",
    "attempt": "asked for a free quota, it was refused",
    "cost": "12 EUR",
}


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


@pytest.fixture
async def phone() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(choose=by_words, keys=[KEY])) as running:
        yield running


def asking(swarm: Make, folder: Path, stub: Stub, phone: Gateway) -> Swarm:
    secret = folder / "key"
    secret.write_text(KEY)
    secret.chmod(0o600)
    step = (
        f'[[escalation.steps]]\nvia = "webhook"\nafter_s = 0\nurl = "{phone.url}"\n'
        f'secret = "file:{secret}"\nheaders = {{ Authorization = "Bearer {{secret}}" }}\n'
        'body = { topic = "parley", title = "{code}: {title}" }\n'
    )
    model = (
        '[models.first]\nprovider = "openai"\nmodel = "gpt-5"\n'
        f'keys = ["file:{secret}"]\nbase_url = "{stub.openai_url}"\n[defaults]\nbrain = "first"\n'
    )
    room = '[[channels]]\nname = "#ceo-office"\neverybody = true\n'
    return swarm(
        agents=("captain", "secretary"),
        transports=("irc", "discord"),
        more=step + model + room,
        swarm_table=TABLE,
        gives_to={"captain": ["all"], "secretary": ["captain"]},
    )


def is_card(message: Json) -> bool:
    footer = (message.get("embeds") or [{}])[0].get("footer") or {}
    return footer.get("text") == "approval AP-1"


async def hears(person: Guest, words: str) -> None:
    """An answer says this, at once or while it grows."""
    said = {"MESSAGE_CREATE", "MESSAGE_UPDATE"}
    await until(
        lambda: any(words in (m.get("content") or "") for name, m in person.events if name in said),
        words,
    )


async def there_is_a_card(person: Guest) -> None:
    """The guild began empty: the card is posted anew."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if any(map(is_card, await person.history("ceo-office"))):
                return
            await asyncio.sleep(0.05)


async def test_what_an_agent_asked_outlives_everybody_and_it_goes_on(
    swarm: Make, guest: Enter, tmp_path: Path, stub: Stub, phone: Gateway
) -> None:
    one = asking(swarm, tmp_path, stub, phone)
    await one.up("--sandbox-users", "1")
    you = await guest(one)
    await you.say(f"{you.mention('secretary')} call the tool request_human {json.dumps(CASE)}")
    card = await you.sees("MESSAGE_CREATE", is_card)
    fields = {f["name"]: f["value"] for f in card["embeds"][0]["fields"]}
    assert fields["Asked by"] == "secretary"
    assert fields["Estimated cost"] == "12.00 EUR"
    assert fields["Tried first"] == CASE["attempt"]
    await hears(you, "stub: the tool answered.")
    await phone.came.wait()
    [(_, headers, body)] = phone.calls
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {"topic": "parley", "title": "AP-1: GPU hours"}

    await one.run("down")
    await one.up("--sandbox-users", "1")
    you, ordinary = await guest(one), await guest(one, "guest1")
    await there_is_a_card(you)
    refused = await use(ordinary, "approve", id="AP-1")
    assert refused["content"] == "AP-1 is for the operators to decide, and you are none of them."
    told = await use(you, "pending")
    assert told["content"].startswith("AP-1 payment: GPU hours (secretary, 12.00 EUR)")
    told = await use(you, "approve", id="AP-1")
    assert told["content"].startswith("AP-1 was approved by you. Once it is done: /complete AP-1")

    before = await one.pid_of("captain")
    kill_process(before)
    await until(lambda: not psutil.pid_exists(before), "the captain is gone")
    await one.becomes("ready")
    told = await use(you, "complete", id="AP-1", cost="11.90 EUR")
    assert "real cost 11.90 EUR" in told["content"]
    await hears(you, "was told: Go on with what waited for it.")
    [(state, waiter_told)] = one.rows("select state, told from human_request")
    assert (state, waiter_told) == ("completed", "completed")
    assert len(phone.calls) == 1
    assert one.rows("select count(*) from delegation where asked_by = 'request:AP-1'") == [(1,)]

    report = await one.run("report expenses", "--json")
    assert json.loads(report.out)["totals"][0]["paid_micros"] == 11_900_000
