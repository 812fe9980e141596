"""Stand-ins of Vault and AWS on loopback, and a store with a desk for keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from storage.store import Store
from tests.integration.keys.vault_stub import Vault, running
from tests.schema import give_schema


@pytest.fixture
def vault() -> Iterator[Vault]:
    with running() as stub:
        yield stub


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    """Address of a Secrets Manager as moto has it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path}/parley.sqlite")
    await give_schema(made)
    yield made
    await made.close()
