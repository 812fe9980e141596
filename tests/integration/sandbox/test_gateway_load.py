"""One client's trouble is its own: the others hear everything, in order and at once."""

from __future__ import annotations

import asyncio

from bots.sandbox.events import Event
from bots.sandbox.frames import Op
from bots.sandbox.server import build
from tests.integration.sandbox.stage import (
    CAPTAIN,
    ROOK,
    Sandbox,
    Socket,
    config,
    serving,
)

ALL = 53608447
FAT = "x" * 100_000


async def test_a_client_that_does_not_read_delays_nobody_is_cut_and_may_resume() -> None:
    async with serving(build(config(gateway={"queue_frames": 20}))) as sandbox:
        slow, quick = await _identified(sandbox, CAPTAIN), await _identified(sandbox, ROOK)
        seq, session = slow.seq, slow.ready["session_id"]
        publish = sandbox.server._world.publish
        for number in range(200):
            publish(_numbered(number, FAT))
            assert (await quick.until("NUMBERED"))["number"] == number
        assert len(sandbox.server._gateway.connections()) == 1
        again = await sandbox.socket()
        await again.send(Op.RESUME, {"token": CAPTAIN, "session_id": session, "seq": seq})
        heard = [(await again.until("NUMBERED"))["number"] for _ in range(200)]
        assert heard == list(range(200))
        await again.until("RESUMED")


async def test_events_come_in_the_order_in_which_they_happened_while_clients_come_and_go(
    sandbox: Sandbox,
) -> None:
    publish = sandbox.server._world.publish
    steady = await _identified(sandbox, ROOK)
    for number in range(100):
        publish(_numbered(number, ""))
        if number % 10 == 0:
            passing = await sandbox.socket("v=10&compress=zlib-stream")
            await passing.identify(CAPTAIN, ALL)
            await passing.raw.close(code=1000)
    seqs: list[int] = []
    numbers: list[int] = []
    while len(numbers) < 100:
        frame = await steady.receive()
        seqs.append(frame["s"])
        if frame["t"] == "NUMBERED":
            numbers.append(frame["d"]["number"])
    assert numbers == list(range(100))
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_noise_on_many_sockets_leaves_the_server_answering(sandbox: Sandbox) -> None:
    async def noise(number: int) -> None:
        socket = await sandbox.socket()
        for text in ("{}", '{"op":1}', '{"op":2,"d":{}}', '{"op":6,"d":{"token":null}}', "\u0000"):
            await socket.raw.send_str(text if number % 2 else text[::-1])
        await socket.closed()

    await asyncio.gather(*(noise(number) for number in range(40)))
    assert (await _identified(sandbox, CAPTAIN)).ready["v"] == 10


async def _identified(sandbox: Sandbox, token: str) -> Socket:
    socket = await sandbox.socket()
    await socket.identify(token, ALL)
    await socket.until("GUILD_CREATE")
    return socket


def _numbered(number: int, fat: str) -> Event:
    return Event(name="NUMBERED", payload=lambda _: {"number": number, "fat": fat})
