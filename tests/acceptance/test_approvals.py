"""Questions to operators and the captain's posts on the whole swarm, on IRC and in the guild."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.acceptance.guild import Guest, Json
from tests.acceptance.guild_commands import use
from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
TABLE = '[swarm]\nname = "test"\nstandup = "00:00"\n[console]\nenabled = false\n'
ROOMS = "[posts]\nevery_s = 0.1\n" + "".join(
    f'[[channels]]\nname = "#{name}"\neverybody = true\n'
    for name in ("ceo-office", "agent-logs", "inter-agent", "daily-standup")
)


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm, name)`: somebody online in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


def full(swarm: Make) -> Swarm:
    """Both networks, and the channels that posts and cards belong to."""
    return swarm(transports=("irc", "discord"), swarm_table=TABLE, more=ROOMS)


def card_of(message: Json, code: str) -> bool:
    embeds = message.get("embeds") or [{}]
    return (embeds[0].get("footer") or {}).get("text") == f"approval {code}"


async def press(person: Guest, card: Json, label: str) -> None:
    row = card["components"][0]["components"]
    ready = await person.sees("READY", lambda _: True)
    body = {
        "type": 3,
        "application_id": card["author"]["id"],
        "guild_id": person.guild,
        "channel_id": card["channel_id"],
        "session_id": ready["session_id"],
        "nonce": secrets.token_hex(8),
        "message_id": card["id"],
        "message_flags": card["flags"],
        "data": {
            "component_type": 2,
            "custom_id": next(b["custom_id"] for b in row if b["label"] == label),
        },
    }
    await person.ask("POST", "/interactions", body)


async def test_anybody_has_the_operators_asked_and_one_of_them_says_yes(
    swarm: Make, guest: Enter
) -> None:
    one = full(swarm)
    await one.up("--sandbox-users", "1")
    you, ordinary = await guest(one), await guest(one, "guest1")
    alice = await one.person("alice")

    # On IRC, by whoever listens there; the card is the captain's and stands in the guild.
    await alice.asks("!restart auditor", r"I asked the operators: AP-1 in #ceo-office\. It rejects")
    card = await you.sees("MESSAGE_CREATE", lambda m: card_of(m, "AP-1"))
    assert card["author"]["username"] == "captain"
    assert card["channel_id"] == you.channel("ceo-office")
    assert card["embeds"][0]["title"] == "Restart auditor"
    assert card["embeds"][0]["fields"][0]["value"] == "alice"

    # The same question by another door is the same request.
    told = await use(ordinary, "restart", agent="auditor")
    assert told["content"].startswith("I asked the operators: AP-1 in #ceo-office.")
    assert told["flags"] & 64

    seen = len(ordinary.events)
    await press(ordinary, card, "Approve")
    told = await ordinary.sees("MESSAGE_CREATE", lambda m: m["flags"] & 64, after=seen)
    assert told["content"] == "AP-1 is for the operators to decide, and you are none of them."

    # The process that posted it dies; the button is the same.
    before, captain = await one.pid_of("auditor"), await one.pid_of("captain")
    os.kill(captain, signal.SIGKILL)
    await until(lambda: not _alive(captain), "the captain is gone")
    await one.becomes("ready")
    await press(you, card, "Approve")
    shown = await you.sees(
        "MESSAGE_UPDATE",
        lambda m: m["id"] == card["id"] and "Restarting auditor." in m["embeds"][0]["description"],
    )
    assert shown["components"] == []
    await until(lambda: not _alive(before), "the auditor's old process is gone")
    await one.becomes("ready")
    assert await one.pid_of("auditor") != before
    assert one.rows("select state, decided_by from human_request") == [("completed", "you")]


async def test_the_captain_posts_on_both_networks_and_nobody_answers_it(
    swarm: Make, guest: Enter
) -> None:
    one = full(swarm)
    await one.up()
    alice = await one.person("alice", "#lobby", "#agent-logs", "#inter-agent", "#daily-standup")
    # Of a swarm that nobody has asked anything there is no day to tell; the first look is soon.
    await alice.asks("secretary: are you there?", r":secretary!.* PRIVMSG #lobby :alice:")
    you = await guest(one)
    await alice.sees(r":captain!.* PRIVMSG #agent-logs :• .* ready")
    await alice.sees(r":secretary!.* PRIVMSG #daily-standup :Stand-up of \d{4}-\d\d-\d\d, since")
    await you.hears("secretary", "Stand-up of")
    await you.hears("captain", "are ready")

    await one.run("kill", "auditor", "--reason", "a test")
    await alice.sees(r"PRIVMSG #agent-logs :• \d\d:\d\d UTC auditor killed by .*: a test")
    await you.hears("captain", "auditor killed by")
    await one.run("resume", "auditor", "--reason", "over")
    await alice.sees(r"PRIVMSG #agent-logs :• \d\d:\d\d UTC auditor resumed by .*: over")

    # A new life of the captain tells nothing twice.
    captain = await one.pid_of("captain")
    os.kill(captain, signal.SIGKILL)
    await until(lambda: not _alive(captain), "the captain is gone")
    await one.becomes("ready")
    await alice.sees(r"PRIVMSG #agent-logs :• captain is ready, in a new process")
    await alice.asks("secretary: are you there?", r":secretary!.* PRIVMSG #lobby :alice:")
    assert len(alice.answers("Stand-up of")) == 1
    assert len(alice.answers("auditor killed by")) == 1
    assert (
        one.rows(
            "select 1 from inbox i join message m on m.id = i.message_id where m.agent is not null"
        )
        == []
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
