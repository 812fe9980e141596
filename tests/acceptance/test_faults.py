"""Whatever dies, nothing is lost, nothing is said twice, and the swarm mends itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import (
    all_stored,
    answers_to,
    delivered,
    fork_server,
    gone,
    listener,
    of,
    out_of_order,
    pid_now,
    reborn,
    service,
    settled,
    states,
    stopped,
    stored,
    unread,
)

Make = Callable[..., Swarm]

#: questions wait this long for company: time enough to kill who owes the answer
SLOW = "[limits]\ncoalesce_s = 0.7\n"


async def test_a_question_to_an_agent_that_dies_is_answered_by_its_replacement_once(
    swarm: Make,
) -> None:
    one = swarm(more=SLOW)
    await one.up()
    alice = await one.person("alice")
    before = await one.pid_of("secretary")

    alice.say("secretary: who mentioned grebe?")
    await until(lambda: one.rows("select 1 from inbox where agent = 'secretary'"), "it is owed")
    os.kill(before, signal.SIGKILL)
    await alice.sees(r":secretary!.*alice: .*grebe")
    await reborn(one, "secretary", before)

    # Killed with its words on the way: the server reads them from a socket whose owner is dead.
    irc = await service(one, "irc")
    alice.say("secretary: who mentioned heron?")
    await until(lambda: one.rows("select 1 from inbox where state = 'queued'"), "it is owed")
    with stopped(irc):
        before = await one.pid_of("secretary")
        await until(
            lambda: one.rows("select 1 from reply where state = 'sending'"), "it is being sent"
        )
        # Written down first, then said: dead in between, it would have said nothing.
        await until(lambda: unread(irc, before) > 40, "its words wait at the server")
        os.kill(before, signal.SIGKILL)
        await until(lambda: pid_now(one, "secretary") not in (before, None), "it has a replacement")
    await alice.sees(r":secretary!.*alice: .*heron")
    await settled(one)
    [(state, proof)] = one.rows("select state, proof from reply where text like '%heron%'")
    assert (state, proof.partition(":")[0]) == ("sent", "record")

    # Killed with its words on the way to a server that dies as well: nobody can tell, nobody
    # repeats it.
    alice.say("secretary: who mentioned ibis?")
    await until(lambda: one.rows("select 1 from inbox where state = 'queued'"), "it is owed")
    with stopped(irc):
        before = await one.pid_of("secretary")
        await until(
            lambda: one.rows("select 1 from reply where state = 'sending'"), "it is being sent"
        )
        os.kill(before, signal.SIGKILL)
        os.kill(irc, signal.SIGKILL)
    await settled(one)
    assert one.rows("select state from reply where text like '%ibis%'") == [("unknown",)]
    assert one.rows("select state from inbox order by id") == [
        ("answered",),
        ("answered",),
        ("unknown",),
    ]
    await one.becomes("ready")
    assert len(answers_to(alice, "grebe")) == len(answers_to(alice, "heron")) == 1
    assert len(answers_to(alice, "ibis")) <= 1


async def test_a_dead_or_stopped_listener_loses_no_line_and_doubles_none(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice, bob = await one.person("alice"), await one.person("bob")
    control = await one.person("control")
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        alice.say(text)

    def chatter(words: str) -> None:
        for number in range(20):
            say(f"{words} {number % 4}")
            bob.say("yes")

    chatter("early")
    dead = listener(one)
    other = next(a for a in ("captain", "secretary", "auditor") if a != dead)
    os.kill(await one.pid_of(dead), signal.SIGKILL)
    chatter("late")
    say("!seen lapwing")
    say(f"{other}: who mentioned merlin?")
    say(f"{dead}: who mentioned nightjar?")
    await alice.sees(r"alice: .*lapwing")
    await alice.sees(rf":{other}!.*alice: .*merlin")
    await alice.sees(rf":{dead}!.*alice: .*nightjar")
    await all_stored(one, control, alice, bob)
    assert not out_of_order(one, "alice", said)

    await one.becomes("ready")
    asleep = listener(one)
    with stopped(await one.pid_of(asleep)):
        chatter("unheard")
        say("!seen osprey")
        await alice.sees(r"alice: .*osprey")
        await all_stored(one, control, alice, bob)
    say("awake again")
    await all_stored(one, control, alice, bob)
    await settled(one)
    assert not out_of_order(one, "alice", said)
    for word in ("lapwing", "merlin", "nightjar", "osprey"):
        assert len(answers_to(alice, word)) == 1, word
    await one.becomes("ready")


async def test_fork_server_bus_and_irc_server_die_under_traffic_and_come_back(swarm: Make) -> None:
    one = swarm()
    await one.up()
    alice, control = await one.person("alice"), await one.person("control")

    alice.say("before the first fault")
    before = {name: pid_now(one, name) for name in ("captain", "secretary", "auditor")}
    os.kill(fork_server(one), signal.SIGKILL)
    for number in range(20):
        alice.say(f"the forks are gone {number % 3}")
    alice.say("secretary: who mentioned pipit?")
    for name, pid in before.items():
        await reborn(one, name, pid or 0)
    # What was said while no agent was connected is outside the promise; nothing of the rest is.
    await alice.asks("secretary: who mentioned quail?", r":secretary!.*alice: .*quail")

    os.kill(await service(one, "nats"), signal.SIGKILL)
    await alice.asks("auditor: who mentioned raven?", r":auditor!.*alice: .*raven")
    await one.becomes("ready")

    alice.say("the last line of this server")
    await alice.barrier()
    await until(lambda: stored(one)["alice", "the last line of this server"], "it is stored")
    os.kill(await service(one, "irc"), signal.SIGKILL)
    await until(control.reader.at_eof, "the server is gone")
    await until(lambda: states(one) == {"deaf"}, "all are deaf")
    await one.becomes("ready")
    again = await one.person("alice")
    watching = await one.person("watching")
    # The same words as before the fault: a new line, not the old one.
    again.say("the last line of this server")
    await again.asks("captain: who mentioned snipe?", r":captain!.*alice: .*snipe")
    await until(
        lambda: stored(one)["alice", "the last line of this server"] == 2, "it is stored again"
    )
    await settled(one)
    assert not of(stored(one), "alice") - delivered(control) - delivered(watching)
    for word in ("pipit", "quail", "raven"):
        assert len(answers_to(alice, word)) <= 1, word
    assert len(answers_to(again, "snipe")) == 1
    assert states(one) == {"ready"}


async def test_a_database_that_is_removed_ends_the_swarm_in_order_and_a_new_start_goes_on(
    swarm: Make,
) -> None:
    one = swarm(agents=("captain",))
    await one.up()
    pid = one.supervisor["pid"]
    for file in one.database.parent.glob("parley.sqlite*"):
        file.unlink()
    await gone([pid], within_s=15)
    assert [r for r in one.logs("supervisor") if r.get("event") == "database.gone"]
    await one.up()
    await one.becomes("ready")
