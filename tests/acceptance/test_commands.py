"""Commands typed on IRC: an agent asked by name, conversations begun anew, account given."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import listener

Make = Callable[..., Swarm]


async def test_ask_is_answered_by_the_agent_that_is_named_listener_or_not(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    alice.say("the mixer hums again")
    for agent in ("secretary", "auditor", "captain"):
        await alice.asks(
            f"!ask {agent} who mentioned the mixer?", rf":{agent}!.* PRIVMSG #lobby :alice: .*mixer"
        )
    assert await until(lambda: len(_turns(one)) == 3, "all three are turns")
    assert {asked for _, asked in _turns(one)} == {"who mentioned the mixer?"}
    await alice.asks("!ask secretery who?", r"no agent 'secretery'; did you mean secretary\?")


def _turns(one: Swarm) -> list[tuple[str, str]]:
    rows = one.rows("select s.agent, t.asked from turn t join session s on s.id = t.session_id")
    return [(agent, asked) for agent, asked in rows]


async def test_a_conversation_is_made_shorter_and_begun_anew(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    for question in ("secretary: who are you?", "secretary: what can you do?"):
        await alice.asks(question, r":secretary!.* PRIVMSG")
    await until(lambda: len(_turns(one)) == 2, "both are turns")
    await alice.asks("!compact secretary", r"secretary: 2 turns became \d+ characters")
    await alice.asks("!usage secretary", r"secretary \(offline brain\): today 2 turns")
    await alice.asks("!new secretary", r"A new conversation with secretary")
    [(after, digest)] = one.rows(
        "select begun_after, digest from session where agent = 'secretary' and key = 'irc:#lobby'"
    )
    assert (after > 0, digest) == (True, "")
    assert len(_turns(one)) == 2


async def test_one_is_told_who_one_is_and_no_more_than_one_may_know(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice = await one.person("alice")
    await alice.asks("!whoami", r"You are alice on irc \(no account\)\. You may not steer")
    await alice.asks("!model", r"offline brain: no model is called: ")
    # In private, as every answer to it.
    await alice.asks("!audit secretary", r"PRIVMSG alice :No: only an operator may do that")
    await alice.asks("!kill-autonomous", r"alice: No: only an operator may do that")
    assert {a["state"] for a in (await one.status())["agents"]} == {"ready"}


async def test_stop_reaches_every_agent_that_works_here(swarm: Make) -> None:
    # A long wait for company makes the work last long enough to be stopped.
    one = swarm(more="[limits]\ncoalesce_s = 5.0\n")
    await one.up()
    alice = await one.person("alice")
    alice.say("secretary, auditor: summarise the last 2 hours")
    await until(lambda: len(one.rows("select 1 from inbox")) == 2, "two agents are asked")
    await alice.asks("!stop", r"alice: Told .*auditor.* to stop\.")
    await until(
        lambda: (
            one.rows("select note from inbox where priority > 0 and state = 'refused'")
            == [("alice said stop",)] * 2
        ),
        "both have ended",
    )
    await alice.asks("!stop secretary", r"alice: Told secretary to stop\.")


async def test_a_stop_that_is_meant_for_another_leaves_the_listeners_own_work_alone(
    swarm: Make,
) -> None:
    one = swarm(more="[limits]\ncoalesce_s = 3.0\n")
    await one.up()
    alice = await one.person("alice")
    # The listener answers untargeted commands; what alice asked of it is none of the other's work.
    mine = await until(lambda: listener(one), "somebody listens")
    other = next(a for a in ("captain", "secretary", "auditor") if a != mine)
    alice.say(f"{mine}: who mentioned the dunlin?")
    await until(lambda: one.rows("select 1 from inbox"), "the question is in the inbox")
    await alice.asks(f"!stop {other}", rf":{mine}!.*alice: Told {other} to stop\.")
    await alice.sees(rf":{mine}!.*alice: .*dunlin")


async def test_a_ping_is_recorded_as_what_it_was(swarm: Make) -> None:
    one = swarm(agents=("captain",))
    await one.up()
    alice = await one.person("alice")
    await alice.asks("captain: ping", r"alice: pong")
    [(reason,)] = one.rows("select reason from audit where verb = 'send'")
    assert reason == "alice: ping"
