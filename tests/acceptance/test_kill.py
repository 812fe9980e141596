"""The kill switch works through every door, whatever else is broken, and survives a restart."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]


def post(url: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def test_kill_and_resume_from_the_command_line_tell_the_whole_story(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")

    done = await one.run("kill", "all", "--reason", "drill")
    assert done.code == 0
    assert "3 of 3 have stopped" in done.out
    status = await one.run("status")
    assert status.code == 4
    assert "drill" in status.out
    alice.say("secretary: are you there?")
    await alice.asks("!status", r"PRIVMSG #lobby :alice: 3 agents: 3 killed")
    await alice.sees(r"killed, by .* drill")
    assert not alice.answers(r":secretary!.*alice: .*\[offline")

    assert (await one.run("resume", "--reason", "")).code != 0
    assert (await one.run("resume", "--reason", "drill over")).code == 0
    await one.becomes("ready")
    await alice.asks("secretary: help", r":secretary!.*alice: \[offline")
    # What was asked while killed is refused for good, not answered late.
    assert len(alice.answers(r":secretary!.*alice: \[offline")) == 1
    chain = one.rows(
        "select verb, target, reason from audit where agent = 'supervisor' order by seq"
    )
    assert chain == [("kill", "all", "drill"), ("resume", "all", "drill over")]


async def test_one_agent_is_killed_alone(swarm: Make) -> None:
    one = swarm()
    await one.up()
    await one.run("kill", "auditor")
    await one.becomes("killed", "auditor")
    await one.becomes("ready", "captain", "secretary")
    assert (await one.run("kill", "auditr")).code == 2


async def test_a_kill_survives_a_restart_of_everything(swarm: Make) -> None:
    one = swarm()
    await one.up()
    await one.run("kill")
    await one.run("down")
    status = await one.up()
    assert {a["state"] for a in status["agents"]} == {"killed"}


async def test_a_signed_line_on_irc_kills_and_resumes_and_is_good_once(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    await alice.asks("!kill all", r"alice: No: only an operator may do that")
    await one.becomes("ready")

    signed = (await one.run("sign", "kill", "all", "enough")).out.strip()
    await alice.asks(signed, r"alice: Killed all: 3 of 3 have stopped")
    await one.becomes("killed")
    resumed = (await one.run("sign", "resume", "all", "calm again")).out.strip()
    await alice.asks(resumed, r"alice: resumed all")
    await one.becomes("ready")
    mallory = await one.person("mallory")
    await mallory.asks(signed, r"mallory: No: that signature was used before")
    await mallory.asks(resumed, r"mallory: No: that signature was used before")
    await mallory.asks(signed[:-3] + "AAA", r"mallory: No: this signature is not the operator's")
    await one.becomes("ready")


async def test_http_doors_of_agent_and_supervisor_kill_with_their_tokens_only(swarm: Make) -> None:
    one = swarm()
    await one.up()
    facts = one.supervisor
    hook = (await one.agent("auditor"))["hook_url"]
    code, answer = await asyncio.to_thread(post, f"{hook}/control/kill", "wrong", {"scope": "all"})
    assert (code, "token" in answer["error"]) == (401, True)
    code, _ = await asyncio.to_thread(
        post, f"{hook}/control/kill", facts["token"], {"scope": "all"}
    )
    assert code == 401
    await one.becomes("ready")

    url = f"{facts['control_url']}/control/kill"
    token = facts["agent_tokens"]["auditor"]
    code, _ = await asyncio.to_thread(post, f"{hook}/control/kill", token, {"scope": "captain"})
    assert code == 200
    await one.becomes("killed", "captain")
    await one.becomes("ready", "secretary", "auditor")
    assert (await one.run("resume", "captain", "--reason", "go on")).code == 0
    await one.becomes("ready")
    code, answer = await asyncio.to_thread(post, url, facts["token"], {"scope": "nobody"})
    assert code == 400
    code, report = await asyncio.to_thread(
        post, url, facts["token"], {"scope": "all", "reason": "by http"}
    )
    assert code == 200
    assert set(report["confirmed_ms"]) == {"captain", "secretary", "auditor"}
    await one.becomes("killed")


@pytest.mark.parametrize("broken", ["database", "nats", "both"])
async def test_kill_works_while_the_database_is_locked_and_nats_is_dead(
    swarm: Make, broken: str
) -> None:
    one = swarm()
    status = await one.up()
    if broken in ("nats", "both"):
        # Stopped rather than killed: a dead one would be back before the kill.
        nats = next(s for s in status["services"] if s["name"] == "nats")
        os.kill(nats["pid"], signal.SIGSTOP)
    with closing(sqlite3.connect(one.database, isolation_level=None)) as connection:
        if broken in ("database", "both"):
            connection.execute("BEGIN EXCLUSIVE")
        done = await one.run("kill", "--reason", "in the dark", "--json")
        assert done.code == 0, done.err
        report = json.loads(done.out)
        assert set(report["confirmed_ms"]) == {"captain", "secretary", "auditor"}
        assert max(report["confirmed_ms"].values()) < 1000
    if broken in ("nats", "both"):
        os.kill(nats["pid"], signal.SIGCONT)
    await until(
        lambda: one.rows("select 1 from latch where scope = 'all' and killed"), "the row follows"
    )
    await until(lambda: one.rows("select 1 from audit where verb = 'kill'"), "the audit follows")
    await until(
        lambda: len(one.rows("select distinct agent from audit where verb = 'killed'")) == 3,
        "every agent's own chain tells it",
    )


async def test_a_stopped_agent_is_ended_by_force_and_comes_back_killed(swarm: Make) -> None:
    one = swarm()
    await one.up()
    pid = await one.pid_of("auditor")
    os.kill(pid, signal.SIGSTOP)
    report = json.loads((await one.run("kill", "--json")).out)
    assert report["forced"] == ["auditor"]
    assert report["confirmed_ms"]["auditor"] < 3000
    await one.becomes("killed")
    assert await one.pid_of("auditor") != pid


async def test_a_person_need_not_wait_for_a_stopped_agent(swarm: Make) -> None:
    one = swarm()
    await one.up()
    os.kill(await one.pid_of("auditor"), signal.SIGSTOP)
    url = f"{one.supervisor['control_url']}/control/kill"
    token = one.supervisor["token"]
    everybody = asyncio.create_task(asyncio.to_thread(post, url, token, {"scope": "all"}))
    await one.becomes("killed", "captain", "secretary")
    body = {"scope": "auditor", "by": "you", "force": True}
    code, report = await asyncio.to_thread(post, url, token, body)
    assert (code, report["forced"]) == (200, ["auditor"])
    assert (await everybody)[1]["forced"] == ["auditor"]
    await one.becomes("killed")


async def test_the_latch_file_alone_kills_and_an_unreadable_one_too(swarm: Make) -> None:
    one = swarm()
    await one.up()
    latch = one.folder / ".parley/latch.json"
    latch.write_text("not a latch")
    await one.becomes("killed", within_s=10)
    assert (await one.run("resume", "--reason", "mended")).code == 0
    await one.becomes("ready")


async def test_a_kill_ends_what_was_permitted_before_it(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    for _ in range(60):
        alice.say("!help")
    await alice.sees(r"PRIVMSG alice :!search")
    report = json.loads((await one.run("kill", "--json")).out)
    assert set(report["confirmed_ms"]) == {"captain", "secretary", "auditor"}
    await alice.barrier()
    said = len(alice.answers(r"PRIVMSG (alice|#lobby) :"))
    await alice.asks("!status", r"PRIVMSG #lobby :alice: 3 agents: 3 killed")
    spoken = alice.answers(r"PRIVMSG (alice|#lobby) :")[said:]
    assert [line for line in spoken if "!" in line.split(" :", 1)[1]] == []
    open_rows = "select count(*) from inbox where state in ('queued', 'working')"
    await until(lambda: one.rows(open_rows) == [(0,)], "everything is settled")


async def test_an_old_word_opens_nothing(swarm: Make) -> None:
    one = swarm(more='[operators]\nirc_accounts = ["alice"]\n')
    await one.up()
    await one.run("kill", "--reason", "for good")
    with closing(sqlite3.connect(one.database, timeout=10)) as connection, connection:
        (message,) = connection.execute(
            "insert into message (network, channel, sender, account, kind, text, said_at, heard_at,"
            " heard_by, hops, trace_id) values ('irc', 'nick:captain', 'alice', 'alice', 'said',"
            " '!resume all long ago', '2026-01-01 00:00:00', '2026-01-01 00:00:00', 'captain', 0,"
            " 'old') returning id"
        ).fetchone()
        connection.execute(
            "insert into inbox (agent, message_id, session, priority, state, queued_at, note,"
            " trace_id) values ('captain', ?, 'irc:nick:alice', 0, 'queued',"
            " '2026-01-01 00:00:00', '', 'old')",
            (message,),
        )
    alice = await one.person("alice")
    await alice.sees(r":captain!.*PRIVMSG alice :No: that was said too long ago")
    await one.becomes("killed")


async def test_a_kill_is_not_undone_by_a_clock_that_runs_ahead(swarm: Make) -> None:
    one = swarm()
    await one.up()
    with closing(sqlite3.connect(one.database, timeout=10)) as connection, connection:
        # Another machine, a minute ahead of us, resumed just now.
        connection.execute(
            "insert into latch (scope, killed, by, door, reason, changed_at) values"
            " ('all', 0, 'bob', 'irc', 'calm', datetime('now', '+60 seconds'))"
        )
    assert (await one.run("kill", "--reason", "now")).code == 0
    await until(
        lambda: one.rows("select killed from latch where scope = 'all'") == [(1,)], "written"
    )
    # The supervisor looks at the rows every other second: two looks later the kill still holds.
    alice = await one.person("alice")
    loop = asyncio.get_running_loop()
    until_s = loop.time() + 5
    while loop.time() < until_s:
        await alice.asks("!status", r"PRIVMSG #lobby :alice: 3 agents: 3 killed")
