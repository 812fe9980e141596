"""The transport on a plain old server: no CAP worth the name, no SASL, no ISUPPORT."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bots.messages import Target
from storage.errors import PermitRefused
from storage.tables import LineKind
from tests.integration.irc.stage import MakeEar, MakePeer, MiniIrcd, free_port, permit, until


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


async def test_a_nick_that_is_not_there_is_a_refusal_in_the_servers_words(
    ircd: MiniIrcd, ears: MakeEar
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    (delivery,) = await ear.say("irc:nick:nobody", "hello?")

    assert (delivery.sent, delivery.unknown) == (False, False)
    assert delivery.proof == "401 No such nick/channel"
    assert "hello?" not in ear.texts()


@pytest.mark.parametrize(
    "target",
    ["irc:nick:alice,bob", "irc:nick:alice :x", "irc:nick:$*", "irc:nick:#lobby", "matrix:#lobby"],
)
async def test_an_address_that_could_mean_somebody_else_is_refused(
    ircd: MiniIrcd, ears: MakeEar, target: str
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    (delivery,) = await ear.say(target, "secret")

    assert (delivery.sent, delivery.unknown) == (False, False)


async def test_nothing_is_said_without_a_permit_for_that_target(
    ircd: MiniIrcd, ears: MakeEar
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    with pytest.raises(PermitRefused):
        await ear.transport.say(Target.parse("irc:#lobby"), ["hi"], permit("irc:#market"))


async def test_a_long_text_arrives_whole_in_lines_that_fit(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port)
    alice = await peers("alice", ircd.port)
    await alice.join("#lobby")
    await ear.seated("#lobby")
    words = [f"wörd{n}" for n in range(300)]

    parts = ear.transport.split(Target.parse("irc:#lobby"), " ".join(words))
    deliveries = await ear.say("irc:#lobby", *parts)

    assert all(d.sent for d in deliveries)
    await alice.sees("wörd299")
    lines = [line for line in alice.lines if " PRIVMSG #lobby " in line]
    assert all(len(line.encode()) <= 510 for line in lines)
    assert " ".join(line.partition(" :")[2] for line in lines).split() == words


async def test_a_cancelled_speech_stops_between_lines_and_leaves_the_next_one_sound(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port, burst=2, lines_per_s=4.0)
    alice = await peers("alice", ircd.port)
    await alice.join("#lobby")
    await ear.seated("#lobby")
    speech = asyncio.create_task(ear.say("irc:#lobby", "one", "two", "three"))
    await alice.sees(" :one")

    speech.cancel()
    await asyncio.gather(speech, return_exceptions=True)
    (delivery,) = await ear.say("irc:#lobby", "four")

    assert delivery.proof == "pong"
    await alice.sees(" :four")
    assert not [line for line in alice.lines if line.endswith((":two", ":three"))]
    assert ear.texts() == ["one", "four"]


async def test_a_part_longer_than_a_line_is_refused_not_cut(ircd: MiniIrcd, ears: MakeEar) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    (delivery,) = await ear.say("irc:#lobby", "x" * 600)

    assert (delivery.sent, delivery.unknown) == (False, False)
    assert "split it" in delivery.proof


async def test_a_missing_authority_file_is_fatal_and_said(ears: MakeEar, tmp_path: Path) -> None:
    ear = ears(port=1, tls=True, tls_authority=tmp_path / "nowhere.pem")

    await until(lambda: "TLS file" in ear.transport.health.fatal, "giving up")


async def test_presence_is_heard_once_a_shared_channel(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port, channels=("#one", "#two"))
    await ear.seated("#one", "#two")
    alice = await peers("alice", ircd.port)
    await alice.join("#one,#two")

    alice.send("NICK alicia", "TOPIC #one :a \x02new\x02 topic", "PART #two :enough", "QUIT :bye")

    await ear.hears("bye", LineKind.QUIT)
    seen = [(h.kind.value, str(h.where), h.sender, h.text) for h in ear.heard if not h.is_own]
    assert seen == [
        ("join", "irc:#one", "alice", ""),
        ("join", "irc:#two", "alice", ""),
        ("nick", "irc:#one", "alice", "alicia"),
        ("nick", "irc:#two", "alice", "alicia"),
        ("topic", "irc:#one", "alicia", "a new topic"),
        ("part", "irc:#two", "alicia", "enough"),
        ("quit", "irc:#one", "alicia", "bye"),
    ]


async def test_a_taken_nick_is_worked_around_and_regained_when_its_holder_leaves(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    holder = await peers("Alpha", ircd.port)
    await holder.join("#lobby")
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")
    assert ear.transport.health.nick == "alpha_"
    assert "alpha is not ours" in ear.transport.health.note

    holder.send("QUIT :have it")

    await until(lambda: ear.transport.health.nick == "alpha", "the wanted nick")
    assert ear.transport.health.note == ""


async def test_a_holder_out_of_sight_is_outwaited(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    holder = await peers("alpha", ircd.port)
    ear = ears(port=ircd.port, regain_s=0.05)
    await ear.seated("#lobby")
    assert ear.transport.health.nick == "alpha_"

    holder.send("QUIT :gone")

    await until(lambda: ear.transport.health.nick == "alpha", "the wanted nick")


async def test_it_comes_back_after_the_server_was_killed(ircd: MiniIrcd, ears: MakeEar) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    await ircd.kill()
    await until(lambda: not ear.transport.health.connected, "the loss to be seen")
    await until(lambda: "Trying again" in ear.transport.health.note, "the reason")
    lost = await ear.say("irc:#lobby", "into the void")
    assert [(d.sent, d.unknown) for d in lost] == [(False, False)]
    await ircd.start()

    await ear.seated("#lobby")
    assert ear.joining == ["#lobby", "#lobby"]
    assert ear.transport.health.note == ""


async def test_what_was_written_when_the_server_died_is_unknown(
    ircd: MiniIrcd, ears: MakeEar
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")
    ircd.pause()

    saying = asyncio.create_task(ear.say("irc:#lobby", "did you get this?"))
    await asyncio.sleep(0)
    await ircd.kill()

    (delivery,) = await saying
    assert (delivery.sent, delivery.unknown) == (False, True)


async def test_a_silent_server_is_unknown_first_and_deaf_later(
    ircd: MiniIrcd, ears: MakeEar
) -> None:
    ear = ears(port=ircd.port, proof_s=0.1, silence_s=0.3, pong_s=0.3)
    await ear.seated("#lobby")
    ircd.pause()

    (delivery,) = await ear.say("irc:#lobby", "anybody?")

    assert delivery.unknown
    await until(lambda: "deaf" in ear.transport.health.note, "deafness")
    assert not ear.transport.health.connected


async def test_a_join_that_could_not_be_prepared_is_tried_again(
    ircd: MiniIrcd, ears: MakeEar
) -> None:
    ear = ears(port=ircd.port)
    ear.join_errors.append(OSError("the store is locked"))

    await ear.seated("#lobby")

    assert ear.joining == ["#lobby", "#lobby"]


async def test_stop_says_goodbye(ircd: MiniIrcd, ears: MakeEar, peers: MakePeer) -> None:
    alice = await peers("alice", ircd.port)
    await alice.join("#lobby")
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")

    await ear.stop()

    await alice.sees("QUIT :good night")
    assert not ear.transport.health.connected
    assert ear.transport.health.fatal == ""


async def test_stop_ends_the_waiting_for_a_server_that_is_not_there(ears: MakeEar) -> None:
    ear = ears(port=free_port(), reconnect_first_s=60.0)
    await until(lambda: "Cannot connect" in ear.transport.health.note, "the reason")

    async with asyncio.timeout(2):
        await ear.stop()


async def test_the_right_server_password_opens_and_a_wrong_one_is_fatal(ears: MakeEar) -> None:
    server = MiniIrcd(free_port(), password="sesame")
    await server.start()
    try:
        right = ears(port=server.port, server_password="sesame")
        await right.seated("#lobby")
        wrong = ears(port=server.port, nick="beta", server_password="melon")
        await until(lambda: "464" in wrong.transport.health.fatal, "giving up")
        assert wrong.task is not None
        await wrong.task
    finally:
        await server.kill()


async def test_ctcp_ping_and_version_are_answered_a_few_times_and_never_heard(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")
    alice = await peers("alice", ircd.port)

    alice.send("PRIVMSG alpha :\x01PING 12 34\x01", "PRIVMSG alpha :\x01VERSION\x01")
    await alice.sees("NOTICE alice :\x01PING 12 34\x01")
    await alice.sees("NOTICE alice :\x01VERSION Parley")
    alice.send(*["PRIVMSG alpha :\x01PING again\x01"] * 20, "PRIVMSG alpha :\x01ACTION waves\x01")

    await ear.hears("waves", LineKind.ACTION)
    answers = [line for line in alice.lines if "PING again" in line]
    assert len(answers) == 1
    assert ear.texts() == []


async def test_bytes_that_are_not_utf8_are_replaced(
    ircd: MiniIrcd, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(port=ircd.port)
    await ear.seated("#lobby")
    alice = await peers("alice", ircd.port)

    alice.send(b"PRIVMSG #lobby :caf\xe9 \xff\xfe", b"PRIVMSG #lobby :still here")

    await ear.hears("caf\ufffd \ufffd\ufffd")
    await ear.hears("still here")
