"""A log spoken into a real IRC server is heard as the log says, in its order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

import pytest

from bots.replay.connection import Gone
from bots.replay.parse import parse
from bots.replay.speak import Speaker, Spoken

REAL = Path(__file__).parents[4] / "shared" / "data" / "ubuntu-irc"
CHANNEL = "#lab"


class Heard(Protocol):
    heard: list[tuple[str, str, str]]

    def talk(self) -> list[tuple[str, str]]: ...
    async def catch_up(self) -> None: ...


async def _speak(port: int, lines: list[str], taken: frozenset[str] = frozenset()) -> Spoken:
    log = parse(lines)
    speaker = Speaker("127.0.0.1", port, CHANNEL, taken=taken)
    await speaker.seat(log.events)
    counts: list[int] = []
    try:
        spoken = await speaker.tell(log.events, [0.0] * len(log.events), counts.append)
        await speaker.leave()
    finally:
        speaker.abort()
    assert counts == list(range(1, len(log.events) + 1))
    return spoken


async def test_talk_keeps_its_order_and_form(irc_port: int, listener: Heard) -> None:
    lines = [f"[10:{n // 60:02d}] <{'abc'[n % 3]}> line {n}" for n in range(300)]
    lines += ["[11:00]  * a waves", "[11:00] -b:#lab- take note"]
    spoken = await _speak(irc_port, lines)
    await listener.catch_up()
    expected = [("abc"[n % 3], f"line {n}") for n in range(300)]
    assert listener.talk() == [*expected, ("a", "\x01ACTION waves\x01"), ("b", "take note")]
    assert (spoken.lines, spoken.connections) == (302, 3)
    assert not spoken.refused


async def test_joins_renames_and_leaving(irc_port: int, listener: Heard) -> None:
    await _speak(
        irc_port,
        [
            "[10:00] <ann> hello",
            "=== bob [b@h]  has joined #lab",
            "[10:01] <bob> hi ann",
            "=== bob is now known as bob_away",
            "[10:02] <bob_away> back soon",
            '=== bob_away [b@h]  has left #lab ["lunch"]',
            "=== ann was kicked off #lab by op (enough)",
        ],
    )
    await listener.catch_up()
    assert [line for line in listener.heard if line[0] != "listener"] == [
        ("ann", "JOIN", CHANNEL),
        ("ann", "PRIVMSG", f"{CHANNEL} :hello"),
        ("bob", "JOIN", CHANNEL),
        ("bob", "PRIVMSG", f"{CHANNEL} :hi ann"),
        ("bob", "NICK", "bob_away"),
        ("bob_away", "PRIVMSG", f"{CHANNEL} :back soon"),
        ("bob_away", "PART", f"{CHANNEL} :lunch"),
        ("ann", "PART", f"{CHANNEL} :kicked by op: enough"),
    ]


async def test_a_nick_that_is_free_again_in_the_log_is_freed(
    irc_port: int, listener: Heard
) -> None:
    spoken = await _speak(
        irc_port,
        [
            "[10:00] <ann> one",
            "[10:00] <bob> two",
            "=== bob is now known as ann",
            "[10:01] <ann> 3",
        ],
    )
    await listener.catch_up()
    assert listener.talk() == [("ann", "one"), ("bob", "two"), ("ann", "3")]
    assert not spoken.refused


async def test_nicks_the_server_refuses_get_others(irc_port: int, listener: Heard) -> None:
    await _speak(
        irc_port,
        [
            "[10:00] <captain> me?",
            r"[10:00] <\x6e|> odd",
            "[10:00] <listener> taken",
            "[10:00] <9> x",
        ],
        frozenset({"captain"}),
    )
    await listener.catch_up()
    assert listener.talk() == [
        ("captain_", "me?"),
        ("_x6e_", "odd"),
        ("listener_", "taken"),
        ("_9", "x"),
    ]


async def test_long_lines_come_in_parts_and_bytes_stay_utf8(irc_port: int, listener: Heard) -> None:
    text = "ä€𝄞 " * 300
    spoken = await _speak(irc_port, [f"[10:00] <ann> {text}"])
    await listener.catch_up()
    said = [line for _, line in listener.talk()]
    assert len(said) == spoken.lines > 1
    assert " ".join(said) == text.strip()
    assert (
        max(len(f":ann!replay@127.0.0.1 PRIVMSG {CHANNEL} :{line}".encode()) for line in said)
        <= 510
    )


async def test_a_server_that_is_not_there(unused_tcp_port: int) -> None:
    with pytest.raises(ExceptionGroup) as error:
        await _speak(unused_tcp_port, ["[10:00] <ann> hello"])
    assert error.group_contains(OSError)


async def test_a_server_that_goes_away_ends_the_replay() -> None:
    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"ERROR :Closing link: no clones here\r\n")
        writer.close()

    server = await asyncio.start_server(vanish, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ExceptionGroup) as error:
            await _speak(port, ["[10:00] <ann> hello"])
    assert error.group_contains(Gone, match="no clones here")


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared IRC logs are not beside this project")
@pytest.mark.parametrize("name", ["2006-06-01", "2018-02-27"])
async def test_a_real_day_is_heard_whole(irc_port: int, listener: Heard, name: str) -> None:
    lines = (REAL / f"{name}.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    spoken = await _speak(irc_port, lines)
    await listener.catch_up()
    said = [e.text for e in parse(lines).events if e.kind.value in ("said", "action", "notice")]
    heard = "\n".join(t.removeprefix("\x01ACTION ").rstrip("\x01") for _, t in listener.talk())
    assert "".join(heard.split()) == "".join("".join(said).split())
    assert len(listener.talk()) == spoken.lines
    assert not spoken.refused
