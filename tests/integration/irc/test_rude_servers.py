"""Servers that misbehave in ways that no real one can be asked for: a few lines of asyncio each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from storage.tables import LineKind
from tests.integration.irc.stage import MakeEar, until

WELCOME = b":rude 001 alpha :hi\r\n:rude 422 alpha :no motd\r\n"
JOINED = b":alpha!a@h JOIN #lobby\r\n"


class RudeServer:
    """Answers each line that begins with a key of `answers`, speaks raw bytes, remembers all."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {
            "USER": WELCOME,
            "JOIN": JOINED,
        }
        self.lines: list[str] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    def send(self, data: bytes) -> None:
        self._writers[-1].write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while raw := await reader.readline():
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            for key, answer in self.answers.items():
                if line.startswith(key):
                    writer.write(answer)
            if line.startswith("QUIT"):
                writer.close()


@pytest.fixture
async def rude() -> AsyncIterator[RudeServer]:
    server = RudeServer()
    await server.start()
    yield server
    await server.stop()


def sent(server: RudeServer, beginning: str) -> Callable[[], list[str]]:
    return lambda: [line for line in server.lines if line.startswith(beginning)]


async def test_a_line_of_5000_bytes_is_heard_and_hurts_nothing(
    rude: RudeServer, ears: MakeEar
) -> None:
    ear = ears(port=rude.port)
    await ear.seated("#lobby")

    rude.send(b":bob!b@h PRIVMSG #lobby :" + b"x" * 5000 + b"\r\n")
    rude.send(b":bob!b@h PRIVMSG #lobby :after\r\n")

    await ear.hears("after")
    assert ear.texts() == ["x" * 5000, "after"]


async def test_a_line_that_never_ends_is_forgotten(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port)
    await ear.seated("#lobby")

    rude.send(b":bob!b@h PRIVMSG #lobby :" + b"x" * 2_000_000)
    rude.send(b"\r\n:bob!b@h PRIVMSG #lobby :after\r\n")

    await ear.hears("after")
    assert ear.texts() == ["after"]


async def test_nonsense_is_skipped(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port)
    await ear.seated("#lobby")

    rude.send(
        b"\r\n \r\n:\r\n@\r\n@a=b\r\n:x\r\nPRIVMSG\r\nNICK\r\nNICK :\r\nQUIT\r\nKICK\r\nJOIN\r\n"
        b":bob!b@h PRIVMSG\r\n:bob!b@h PRIVMSG #lobby\r\n:bob!b@h NICK\r\n:bob!b@h KICK #lobby\r\n"
        b"005\r\n:rude 005 alpha PREFIX=junk CHANTYPES= :x\r\nCAP\r\nCAP * LS\r\nPING\r\n"
        b":bob!b@h JOIN\r\n:bob!b@h TOPIC\r\n:bob!b@h JOIN nowhere\r\n\xff\xfe\r\n"
        b":rude 353 alpha\r\nBATCH\r\nAUTHENTICATE\r\n"
        b"@time=never :bob!b@h PRIVMSG #lobby :after\r\n"
    )

    await ear.hears("after")
    assert [h.text for h in ear.heard if not h.is_own] == ["after"]
    assert rude.connections == 1


@pytest.mark.parametrize("numeric", [b"464", b"465"])
async def test_464_and_465_end_the_retrying(
    rude: RudeServer, ears: MakeEar, numeric: bytes
) -> None:
    rude.answers["USER"] = b":rude " + numeric + b" alpha :not you\r\n"
    ear = ears(port=rude.port)

    await until(lambda: ear.transport.health.fatal, "giving up")

    assert "not you" in ear.transport.health.fatal
    assert ear.task is not None
    await ear.task
    assert rude.connections == 1


async def test_a_throttling_server_is_left_alone_for_longer(
    rude: RudeServer, ears: MakeEar
) -> None:
    rude.answers["USER"] = b"ERROR :Closing Link: (Your host is trying to (re)connect too fast)\r\n"
    rude.answers["NICK"] = b""
    ear = ears(port=rude.port, throttled_s=900.0, reconnect_first_s=0.01)
    await until(lambda: rude.lines, "the connection")
    await rude.stop()

    await until(lambda: "too fast" in ear.transport.health.note, "the reason")

    waits = [word for word in ear.transport.health.note.split() if word.isdigit()]
    assert int(waits[-1]) >= 450


async def test_a_server_without_cap_is_not_waited_for(rude: RudeServer, ears: MakeEar) -> None:
    rude.answers["CAP"] = b":rude 421 * CAP :Unknown command\r\n"
    ear = ears(port=rude.port)

    await ear.seated("#lobby")

    assert rude.lines[0] == "CAP LS 302"
    assert [line.split()[0] for line in rude.lines[1:3]] == ["NICK", "USER"]


async def test_capabilities_over_two_lines_are_asked_for_and_refused_ones_left_out(
    rude: RudeServer, ears: MakeEar
) -> None:
    names = b"batch message-tags server-time"
    rude.answers = {
        "CAP LS": b":rude CAP * LS * :server-time message-tags\r\n:rude CAP * LS :batch odd=1\r\n",
        "CAP REQ :" + names.decode(): b":rude CAP * NAK :" + names + b"\r\n",
        "JOIN": JOINED,
    }
    ear = ears(port=rude.port)
    await until(sent(rude, "CAP REQ :server-time"), "the names one by one")
    rude.send(b":rude CAP * NAK :batch\r\n:rude CAP * NAK :message-tags\r\n")
    rude.send(b":rude CAP * ACK :server-time\r\n")
    await until(sent(rude, "CAP END"), "the end")

    rude.send(WELCOME)
    await ear.seated("#lobby")
    rude.send(
        b"@time=2024-05-01T10:00:00.123Z;msgid=forged;account=boss :bob!b@h PRIVMSG #lobby :hi\r\n"
    )

    heard = await ear.hears("hi")
    assert heard.said_at is not None
    assert heard.said_at.isoformat() == "2024-05-01T10:00:00.123000+00:00"
    assert (heard.msgid, heard.account) == (None, None)


async def test_a_late_pong_still_makes_the_line_ours(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port, proof_s=0.05)
    await ear.seated("#lobby")

    (delivery,) = await ear.say("irc:#lobby", "slow")
    assert (delivery.sent, delivery.unknown) == (False, True)
    token = (await until(sent(rude, "PING "), "the fence"))[0].partition(":")[2]
    rude.send(f":rude PONG rude :{token}\r\n".encode())

    heard = await ear.hears("slow")
    assert heard.is_own


async def test_a_cookie_with_blanks_is_ponged_whole(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port)
    await ear.seated("#lobby")

    rude.send(b"PING :two words\r\n")

    await until(sent(rude, "PONG :two words"), "the pong")


async def test_a_server_that_never_welcomes_is_left_after_a_while(
    rude: RudeServer, ears: MakeEar
) -> None:
    rude.answers = {}
    ear = ears(port=rude.port, registration_s=0.1)

    await until(lambda: "did not let us in" in ear.transport.health.note, "the reason")
    await until(lambda: rude.connections > 1, "another try")


async def test_a_crowded_server_is_paced(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port, burst=3, lines_per_s=20.0, proof_s=0.01)
    await ear.seated("#lobby")
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    await ear.say("irc:#lobby", *[f"line {n}" for n in range(8)])

    # the JOIN took one token of three, so six lines wait 50 ms each
    assert loop.time() - began_s >= 0.25
    assert [line.partition(" :")[2] for line in sent(rude, "PRIVMSG")()] == [
        f"line {n}" for n in range(8)
    ]


async def test_colours_and_foreign_ctcp_are_taken_off(rude: RudeServer, ears: MakeEar) -> None:
    ear = ears(port=rude.port)
    await ear.seated("#lobby")

    rude.send(b":bob!b@h PRIVMSG #lobby :\x034,12red\x03 \x02bold\x0f 5\x01\x10n\r\n")
    rude.send(b":bob!b@h PRIVMSG #lobby :\x01DCC SEND evil 1 2 3\x01\r\n")
    rude.send(b":bob!b@h NOTICE #lobby :notice\r\n:rude NOTICE alpha :from the server\r\n")
    rude.send(b":NickServ!s@services NOTICE alpha :identify!\r\n")
    rude.send(b":bob!b@h PRIVMSG #lobby :end\r\n")

    await ear.hears("end")
    assert ear.texts() == ["red bold 5n", "end"]
    assert ear.texts(LineKind.NOTICE) == ["notice"]
