"""On Discord: what cannot work is said in a sentence, shows in the status, and sends nothing that
should not be sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.sandbox.tokens import user_of
from tests.acceptance.gossip import Asked
from tests.acceptance.guild import Guest, HasStatus, Json
from tests.acceptance.guild_commands import command, use
from tests.acceptance.guild_faults import trouble
from tests.acceptance.guild_truth import Server, answered_once, whole_history
from tests.acceptance.outside import ALL_INTENTS, Outside, bot_token
from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import settled

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor")
TECHNICAL = '[[channels]]\nname = "#technical"\neverybody = true\n'
SEND_MESSAGES = 1 << 11
EPHEMERAL = 1 << 6


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm, name)`: somebody online in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: HasStatus, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


def guild(swarm: Make, **more: Any) -> Swarm:
    return swarm(agents=AGENTS, transports=("discord",), **more)


def said_by(lines: list[Json], *agents: str) -> list[Json]:
    return [m for m in lines if m["author"]["username"] in (agents or AGENTS)]


async def reason(swarm: Swarm, agent: str, state: str, words: str) -> str:
    """The agent's reason, once it is in this state for a reason with these words."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        now = await swarm.agent(agent)
        if now["state"] == state and words in now["reason"]:
            return str(now["reason"])
        assert asyncio.get_running_loop().time() < deadline, (now["state"], now["reason"])
        await asyncio.sleep(0.05)  # a look, not a hope: the deadline decides


def everything_written(swarm: Swarm) -> str:
    """All logs of the swarm."""
    return "".join(path.read_text() for path in swarm.folder.glob(".parley/logs/*"))


# --- tokens and intents ---------------------------------------------------------------------------


async def test_a_wrong_token_and_a_refused_intent_fail_with_a_sentence_and_harm_nobody_else(
    swarm: Make, guest: Enter, tmp_path: Path
) -> None:
    bots = {"captain": ALL_INTENTS, "secretary": ALL_INTENTS, "auditor": ("members",)}
    async with Outside(tmp_path / "guild", bots) as outside:
        one = guild(swarm)
        wrong = bot_token("secretary", "wrong")
        tokens = {a: bot_token(a) for a in AGENTS} | {"secretary": wrong}
        outside.serve(one, tokens)
        await one.run("up", "--detach")
        await one.becomes("ready", "captain")
        told = await reason(one, "secretary", "failed", "does not accept secretary's token")
        assert "https://discord.com/developers/applications" in told
        told = await reason(one, "auditor", "failed", "Message Content Intent")
        bot = user_of(tokens["auditor"])
        assert f"https://discord.com/developers/applications/{bot}/bot" in told
        you = await guest(outside)
        await you.asks("captain", "who mentioned the tern?")
        for token in tokens.values():
            assert token not in everything_written(one)
        assert said_by(await you.history()) == said_by(await you.history(), "captain")


async def test_a_token_that_is_taken_back_while_it_is_used_ends_in_failed(
    swarm: Make, guest: Enter, tmp_path: Path
) -> None:
    # Discord closes with 4004 and resets the token when the day's IDENTIFYs are used up.
    more = {"gateway": {"identifies_per_day": 1}}
    async with Outside(tmp_path / "guild", {"captain": ALL_INTENTS}, more) as outside:
        one = swarm(agents=("captain",), transports=("discord",))
        outside.serve(one, {"captain": bot_token("captain")})
        await one.up()
        you = await guest(outside)
        await you.asks("captain", "who mentioned the tern?")
        await trouble(you, "invalid", "captain")
        await reason(one, "captain", "failed", "does not accept captain's token")


async def test_two_agents_with_one_token_do_not_start(swarm: Make, tmp_path: Path) -> None:
    async with Outside(tmp_path / "guild", {"captain": ALL_INTENTS}) as outside:
        one = guild(swarm)
        token = bot_token("captain")
        outside.serve(one, dict.fromkeys(AGENTS, token))
        done = await one.run("up", "--detach")
        assert done.code != 0
        assert "captain and secretary have the same Discord bot" in done.err + done.out
        assert token not in done.err + done.out
        assert not one.processes()


# --- places ---------------------------------------------------------------------------------------


async def test_a_channel_that_is_deleted_before_the_answer(swarm: Make, guest: Enter) -> None:
    one = guild(swarm, more=TECHNICAL)
    await one.up()
    you = await guest(one)
    await you.asks("auditor", "who mentioned the tern?", "technical")
    await settled(one)  # nobody is stopped in the middle of a write
    pid = await one.pid_of("auditor")
    os.kill(pid, signal.SIGSTOP)
    asked = await you.say(f"{you.mention('auditor')} who mentioned the dunlin?", "technical")
    await until(
        lambda: one.rows("select 1 from message where msgid = ?", asked["id"]), "it is recorded"
    )
    await you.ask("DELETE", f"/channels/{you.channel('technical')}")
    os.kill(pid, signal.SIGCONT)
    await settled(one)
    [(state, note)] = one.rows(
        "select i.state, i.note from inbox i join message m on m.id = i.message_id "
        "where m.msgid = ?",
        asked["id"],
    )
    assert state == "refused", note
    assert "channel" in note
    for agent in AGENTS:
        told = await reason(one, agent, "degraded", "#technical")
        assert "https://discord.com/oauth2/authorize" in told or "not in #technical" in told
    await you.asks("auditor", "who mentioned the knot?")


async def test_a_channel_where_it_may_not_speak(swarm: Make, guest: Enter) -> None:
    one = guild(swarm, more=TECHNICAL)
    await one.up()
    you = await guest(one)
    auditor = you.mention("auditor").strip("<@>")
    place = f"/channels/{you.channel('technical')}/permissions/{auditor}"
    await you.ask("PUT", place, {"type": 1, "allow": "0", "deny": str(SEND_MESSAGES)})
    await reason(one, "auditor", "degraded", "lacks the permission Send Messages")
    asked = await you.say(f"{you.mention('auditor')} who mentioned the tern?", "technical")
    await until(
        lambda: one.rows("select 1 from inbox where state = 'refused'"), "the answer is refused"
    )
    [(proof,)] = one.rows("select proof from reply where state = 'failed'")
    assert "lacks a permission in this channel (Send Messages" in proof
    assert said_by(await you.history("technical")) == []
    await you.asks("auditor", "who mentioned the knot?")
    await you.ask("DELETE", place)
    await one.becomes("ready")
    await you.asks("auditor", "who mentioned the knot?", "technical")
    assert you.answers("auditor", asked) == []


# --- what is said ---------------------------------------------------------------------------------


async def test_an_answer_of_more_than_2000_characters_comes_in_parts(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    for number in range(14):
        await you.say(f"line {number} " + f"the mixer hums at {number} Hz, " * 12)
    asked = await you.say(f"{you.mention('secretary')} the last 14 lines")
    await you.sees(
        "MESSAGE_CREATE",
        lambda m: m["author"]["username"] == "secretary" and "line 13" in m["content"],
    )
    await settled(one)
    parts = said_by(await you.history())
    assert len(parts) >= 2
    assert all(len(p["content"]) <= 2000 for p in parts)
    assert sum(len(p["content"]) for p in parts) > 3000
    whole = "\n".join(p["content"] for p in parts)
    assert [whole.count(f"> line {n} ") for n in range(14)] == [1] * 14
    references = [(p.get("message_reference") or {}).get("message_id") for p in parts]
    assert references == [asked["id"]] + [None] * (len(parts) - 1)


async def test_a_file_that_is_too_large_is_named_and_not_read(swarm: Make, guest: Enter) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    path = f"{you.api}/channels/{you.channel('lobby')}/messages"
    for name, size in (("small.txt", 500), ("large.txt", 1_200_000)):
        form = aiohttp.FormData()
        text = f"{you.mention('secretary')} who mentioned the {name[:5]}bird?"
        form.add_field("payload_json", json.dumps({"content": text}))
        content = f"the {name[:5]}fish swims. ".encode() * (size // 10)
        form.add_field("files[0]", content[:size], filename=name, content_type="text/plain")
        async with you.http.post(path, data=form) as answer:
            assert answer.status == 200, await answer.text()
            said = await answer.json()
        await until(lambda m=said: you.answers("secretary", m), "an answer")  # type: ignore[misc]
    rows = dict(one.rows("select substr(text, 1, 60), text from message where agent is null"))
    [small] = [t for t in rows.values() if "smallbird" in t]
    [large] = [t for t in rows.values() if "largebird" in t]
    assert "the smallfish swims" in small
    assert "large.txt" in large
    assert "fish" not in large
    assert len(large) < 200


async def test_nothing_that_is_quoted_pings_anybody(swarm: Make, guest: Enter) -> None:
    one = guild(swarm)
    await one.up("--sandbox-users", "1")
    you, other = await guest(one), await guest(one, "guest1")
    roles = await you.ask("GET", f"/guilds/{you.guild}/roles")
    operators = next(r["id"] for r in roles if r["name"] == "operators")
    me = (await you.ask("GET", "/users/@me"))["id"]
    said = await you.say(f"@everyone @here <@&{operators}> <@{me}> the mixer hums")
    assert said["mention_everyone"]
    assert said["mention_roles"] == [operators]
    for channel in ("lobby", "@secretary"):
        answer = await other.asks("secretary", "who mentioned the mixer?", channel)
        assert "the mixer hums" in answer["content"]
        assert "everyone" in answer["content"]
        assert answer["mention_everyone"] is False
        assert answer["mentions"] == answer["mention_roles"] == []
    told = await use(other, "search", words="mixer")
    assert "the mixer hums" in told["content"]
    assert (told["mention_everyone"], told["mentions"], told["mention_roles"]) == (False, [], [])


async def test_a_flood_of_mentions_is_answered_at_most_once_each_and_others_are_served(
    swarm: Make, guest: Enter, tmp_path: Path
) -> None:
    bots = dict.fromkeys(AGENTS, ALL_INTENTS)
    # Discord would slow this person down; here nothing does.
    more = {"limits": {"messages": 50, "requests_per_s": 200}}
    async with Outside(tmp_path / "guild", bots, more) as outside:
        one = guild(swarm)
        outside.serve(one, {a: bot_token(a) for a in AGENTS})
        await one.up()
        you, other = await guest(outside), await guest(outside, "guest1")
        everybody = you.mention(*AGENTS)
        flood = asyncio.gather(
            *(you.say(f"{everybody} who mentioned floodword{n}?") for n in range(50))
        )
        began_s = asyncio.get_running_loop().time()
        for agent in AGENTS:
            await other.asks(agent, "who mentioned the tern?")
        print(f"others were served {asyncio.get_running_loop().time() - began_s:.2f} s after")
        asked = [
            Asked(agent, m["id"], f"floodword{n}", "lobby")
            for n, m in enumerate(await flood)
            for agent in AGENTS
        ]
        await settled(one)
        server = Server(AGENTS, {"#lobby": await whole_history(you, "lobby")})
        verdict = answered_once(one, server, asked)
        assert not verdict.wrong, verdict.wrong
        print(f"{len(asked)} questions, {len(server.by_agents())} answers, {verdict.states}")
        assert len(server.by_agents()) < 50
        await one.becomes("ready")


# --- interactions ---------------------------------------------------------------------------------


async def send(person: Guest, kind: int, application: str, **more: Any) -> str:
    """POST /interactions; its nonce."""
    ready = await person.sees("READY", lambda _: True)
    nonce = secrets.token_hex(8)
    body = {
        "type": kind,
        "application_id": application,
        "guild_id": person.guild,
        "channel_id": person.channel("lobby"),
        "session_id": ready["session_id"],
        "nonce": nonce,
    }
    await person.ask("POST", "/interactions", body | more)
    return nonce


async def test_an_interaction_that_expired_is_answered_by_nothing(
    swarm: Make, guest: Enter
) -> None:
    one = guild(swarm)
    await one.up()
    you = await guest(one)
    status = await command(you, "status")
    pid = await one.pid_of("captain")
    os.kill(pid, signal.SIGSTOP)
    data = {k: status[k] for k in ("id", "version", "name", "type")}
    nonce = await send(you, 2, status["application_id"], data=data)
    await you.sees("INTERACTION_FAILURE", lambda f: f["nonce"] == nonce)
    os.kill(pid, signal.SIGCONT)
    await until(
        lambda: any(e["event"] == "interaction_expired" for e in one.logs("captain")), "a log line"
    )
    await one.becomes("ready")
    assert said_by(await you.history()) == []
    assert (await use(you, "status"))["content"] == "3 agents: 3 ready."


async def test_a_forged_button_does_nothing_and_says_so(
    swarm: Make, guest: Enter, tmp_path: Path
) -> None:
    async with Outside(tmp_path / "guild", dict.fromkeys(AGENTS, ALL_INTENTS)) as outside:
        one = guild(swarm)
        outside.serve(one, {a: bot_token(a) for a in AGENTS})
        await one.up()
        you = await guest(outside)
        pids = [await one.pid_of(a) for a in AGENTS]
        forged = ("parley:approval:7:approve", "parley:approval:0:burn", "parley:x", "shop:buy:1")
        buttons = [{"type": 2, "style": 1, "label": c, "custom_id": c} for c in forged]
        # Somebody who has the captain's token posts a card that the captain never made.
        headers = {"Authorization": f"Bot {bot_token('captain')}"}
        async with aiohttp.ClientSession(headers=headers) as thief:
            body = {"content": "press", "components": [{"type": 1, "components": buttons}]}
            path = f"{you.api}/channels/{you.channel('lobby')}/messages"
            async with thief.post(path, json=body) as answer:
                assert answer.status == 200, await answer.text()
                card = await answer.json()
        for custom_id in forged:
            after = len(you.events)
            await send(
                you,
                3,
                card["author"]["id"],
                message_id=card["id"],
                message_flags=card["flags"],
                data={"component_type": 2, "custom_id": custom_id},
            )
            told = await you.sees(
                "MESSAGE_CREATE" if custom_id.startswith("parley:") else "MESSAGE_UPDATE",
                lambda m: m.get("flags", 0) & EPHEMERAL,
                after=after,
            )
            assert told["content"].endswith("."), told["content"]
            print(custom_id, "->", told["content"])
        assert pids == [await one.pid_of(a) for a in AGENTS]
        assert one.rows("select 1 from human_request") == []
        await one.becomes("ready")


async def test_who_is_no_operator_kills_and_resumes_nobody(swarm: Make, guest: Enter) -> None:
    one = guild(swarm)
    await one.up("--sandbox-users", "1")
    you, other = await guest(one), await guest(one, "guest1")
    for name, options in (
        ("kill-autonomous", {"reason": "because I can"}),
        ("resume", {"agent": "all", "reason": "because I can"}),
    ):
        told = await use(other, name, **options)
        assert told["flags"] & EPHEMERAL
        assert told["content"].startswith("No: "), told["content"]
    await one.becomes("ready")
    assert one.rows("select 1 from latch where killed") == []
    await other.asks("secretary", "who mentioned the tern?")

    told = await use(you, "kill-autonomous", reason="a test")
    await one.becomes("killed")
    told = await use(other, "resume", agent="all", reason="because I can")
    assert told["flags"] & EPHEMERAL
    print(told["content"])
    assert (await one.status())["killed"]
    await one.becomes("killed")
    told = await use(you, "resume", agent="all", reason="done")
    assert told["content"] == "resumed all"
    await one.becomes("ready")
