"""The transport on a plain old server: no CAP worth the name, no SASL, no ISUPPORT."""

from __future__ import annotations

from storage.tables import LineKind
from tests.integration.irc.stage import MakeEar, MakePeer, MiniIrcd, until


async def test_it_joins_and_hears_what_people_say(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port, channels=("#Lobby", "#market"))
    await ear.seated("#lobby", "#market")
    alice = await peers("alice", ircd.port)
    await alice.join("#lobby")

    alice.send("PRIVMSG #LOBBY :hello there", "PRIVMSG alpha :psst")

    heard = await ear.hears("hello there")
    assert (heard.sender, str(heard.where), heard.is_own) == ("alice", "irc:#lobby", False)
    assert str((await ear.hears("psst")).where) == "irc:nick:alice"
    assert ear.joining == ["#lobby", "#market"]
    assert "alice" in [h.sender for h in ear.heard if h.kind is LineKind.JOIN]


async def test_what_it_says_is_proved_by_a_pong_and_heard_as_its_own(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port)
    alice = await peers("alice", ircd.port)
    await alice.join("#lobby")
    await ear.seated("#lobby")

    deliveries = await ear.say("irc:#lobby", "one", "two")

    assert [(d.sent, d.proof) for d in deliveries] == [(True, "pong")] * 2
    await alice.sees("PRIVMSG #lobby :two")
    own = [h for h in ear.heard if h.is_own and h.kind is LineKind.SAID]
    assert [h.text for h in own] == ["one", "two"]


async def test_it_comes_back_after_the_server_was_killed(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    await ircd.kill()
    await until(lambda: not ear.transport.health.connected, "the loss to be seen")
    lost = await ear.say("irc:#lobby", "into the void")
    assert [(d.sent, d.unknown) for d in lost] == [(False, False)]
    await ircd.start()

    await ear.seated("#lobby")
    assert ear.joining == ["#lobby", "#lobby"]
