"""People talk to agents on IRC, and the swarm remembers what was said."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable

from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]


async def test_an_agent_answers_who_addresses_it_and_nobody_else(swarm: Make) -> None:
    one = swarm()
    status = await one.up()
    assert {a["state"] for a in status["agents"]} == {"ready"}
    alice = await one.person("alice")

    alice.say("the mixer hums again")
    await alice.asks("secretary: who mentioned the mixer?", r":secretary!.*alice: .*mixer")
    line = await alice.sees(r":secretary!.*<alice> the mixer hums again")
    assert "secretary" in line
    await alice.asks(
        "who are you?", r":captain!.* PRIVMSG alice :.*offline brain", target="captain"
    )
    assert not alice.answers(r":auditor!.*PRIVMSG")
    assert len(alice.answers(r":secretary!.* PRIVMSG #lobby :alice:")) == 1


async def test_only_the_listener_answers_a_command_and_unknown_ones_get_silence(
    swarm: Make,
) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")

    alice.say("!bogus command")
    alice.say("!search")
    await alice.asks("!status", r"PRIVMSG #lobby :alice: 3 agents: 3 ready")
    await alice.asks("!status agent:auditor", r":auditor!.*PRIVMSG #lobby :alice: ready")
    await alice.asks("!status role:secretary", r":secretary!.*PRIVMSG #lobby :alice: ready")
    assert len(alice.answers(r"PRIVMSG (#lobby|alice) :")) == 3
    await alice.asks("!status all", r":captain!.*PRIVMSG #lobby :alice: ready")
    await until(
        lambda: len(alice.answers(r"PRIVMSG #lobby :alice: ready")) == 5, "all three answered"
    )


async def test_a_long_answer_goes_to_the_asker_in_private(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    await alice.asks("!help", r"PRIVMSG alice :!search")
    await alice.sees(r"PRIVMSG #lobby :alice: .*in private")


async def test_every_line_is_stored_once_and_two_equal_lines_stay_two(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    for text in ("hello", "hello", "\x02bold\x02 caf\xe9", "naïve ☕"):
        alice.say(text)
    alice.writer.write(b"PRIVMSG #lobby :bad \xff\xfe bytes\r\n")
    alice.writer.write(b"PRIVMSG #lobby :" + b"x" * 5000 + b"\r\n")
    alice.say("last")
    await until(
        lambda: one.rows("select 1 from message where text = 'last'"), "the last line is stored"
    )
    said = [
        r[0]
        for r in one.rows(
            "select text from message where sender='alice' and kind='said' order by id"
        )
    ]
    assert said[:4] == ["hello", "hello", "bold café", "naïve ☕"]
    assert said[4] == "bad \ufffd\ufffd bytes"
    assert said[-1] == "last"
    status = await one.status()
    assert {a["state"] for a in status["agents"]} == {"ready"}


async def test_an_answer_is_proved_recorded_and_audited_under_one_trace(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    await alice.asks("secretary: help", r":secretary!.*alice: ")
    await until(lambda: one.rows("select 1 from inbox where state = 'answered'"), "settled")
    [(trace, state)] = one.rows("select trace_id, state from inbox")
    assert state == "answered"
    assert {r[0] for r in one.rows("select proof from reply where trace_id = ?", trace)} == {"pong"}
    audited = one.rows("select verb, outcome from audit where trace_id = ?", trace)
    assert ("send", "permitted") in audited
    assert any(r.get("trace_id") == trace for r in one.logs("secretary"))
    assert one.rows("select 1 from message where trace_id = ?", trace)
    metrics = await asyncio.to_thread(_metrics, (await one.agent("secretary"))["hook_url"])
    assert f'trace_id="{trace}"' in metrics
    assert 'parley_replies_total{state="sent"} 1.0' in metrics


def _metrics(url: str) -> str:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:
        text: str = response.read().decode()
        return text


async def test_a_nick_that_looks_like_an_agent_is_told_of_and_has_no_rights(swarm: Make) -> None:
    one = swarm()
    await one.up()
    mallory = await one.person("captain_")
    await mallory.asks("!kill all", r"captain_: No: only an operator may do that")
    await until(
        lambda: [r for r in one.logs("auditor") if r.get("event") == "imitation"],
        "the log says who is not who",
    )
    await one.becomes("ready")


async def test_a_person_says_stop_and_the_current_work_ends(swarm: Make) -> None:
    # A long wait for company makes the work last long enough to be stopped.
    one = swarm(more="[limits]\ncoalesce_s = 5.0\n")
    await one.up()
    alice = await one.person("alice")
    alice.say("secretary: summarise the last 2 hours")
    await until(lambda: one.rows("select 1 from inbox"), "the question is in the inbox")
    await alice.asks("secretary: stop", r":secretary!.*alice: Stopped\.")
    [(state, note)] = await until(
        lambda: one.rows("select state, note from inbox where priority > 0 and state <> 'queued'"),
        "the question is settled",
    )
    assert (state, note) == ("refused", "alice said stop")
    assert len(alice.answers(r":secretary!.* PRIVMSG #lobby")) == 1
