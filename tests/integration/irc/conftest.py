"""A real miniircd for each test that asks for one, and agents' ears and mouths on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from bots.irc.transport import IrcConfig
from tests.integration.irc.network import Network, why_missing
from tests.integration.irc.stage import Ear, MakeEar, MakePeer, MiniIrcd, Peer, free_port


@pytest.fixture
async def ircd() -> AsyncIterator[MiniIrcd]:
    server = MiniIrcd(free_port())
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def ears() -> AsyncIterator[MakeEar]:
    """Makes and starts transports; all are stopped at the end."""
    made: list[Ear] = []

    def make(**settings: Any) -> Ear:
        defaults: dict[str, Any] = {
            "agent": "alpha",
            "host": "127.0.0.1",
            "nick": "alpha",
            "channels": ("#lobby",),
            "burst": 20,
            "lines_per_s": 50.0,
            "reconnect_first_s": 0.05,
            "rejoin_first_s": 0.05,
        }
        ear = Ear(IrcConfig(**(defaults | settings)))
        ear.start()
        made.append(ear)
        return ear

    yield make
    await asyncio.gather(*(ear.stop() for ear in made))


@pytest.fixture
async def peers() -> AsyncIterator[MakePeer]:
    """Makes and connects plain clients; all are closed at the end."""
    made: list[Peer] = []

    async def make(nick: str, port: int) -> Peer:
        peer = Peer(nick)
        await peer.connect(port)
        made.append(peer)
        return peer

    yield make
    for peer in made:
        await peer.close()


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """inspircd with atheme-services and SASL; each test takes nicks of its own."""
    yield from _started(Network())


@pytest.fixture(scope="session")
def network_without_sasl() -> Iterator[Network]:
    yield from _started(Network(sasl=False))


@pytest.fixture
def network_alone() -> Iterator[Network]:
    """The server runs, its services do not yet."""
    yield from _started(Network(), Network.start_server)


def _started(
    network: Network, start: Callable[[Network], None] = Network.start
) -> Iterator[Network]:
    if reason := why_missing():
        pytest.skip(reason)
    try:
        start(network)
        yield network
    finally:
        network.stop()
