"""kill -9 between making a key and handing it over: what signs can always be verified."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from bots.keys.sealing import Master
from bots.keys.signer import genuine
from bots.state import write_private
from storage import audit, keys
from storage.store import Store
from tests.integration.keys.keymaker import MESSAGE
from tests.integration.keys.office import NOON, Office, settings

ROOT = Path(__file__).parents[3]


async def killed_after(store: Store, master: Path, lines: int) -> list[list[str]]:
    """What it said until it got SIGKILL, at whatever point it was then."""
    url = store.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.keys.keymaker", url, str(master)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [await asyncio.wait_for(process.stdout.readline(), 60) for _ in range(lines)]
    process.kill()
    rest, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    whole = [*(line.decode() for line in said), *rest.decode().splitlines(keepends=True)]
    return [line.split() for line in whole if line.endswith("\n")]


@pytest.mark.parametrize("lines", [1, 2, random.Random(7).randrange(3, 9)])
async def test_a_key_that_was_given_is_in_the_store(
    store: Store, tmp_path: Path, lines: int
) -> None:
    master = tmp_path / "master.key"
    write_private(master, Master.new().text)
    said = await killed_after(store, master, lines)
    async with store.reading() as unit:
        rows = {row.key_id: row for row in await keys.of_owner(unit, "captain")}
        assert await audit.verify(unit, "captain") is None
    for verb, key_id, *signature in said:
        assert key_id in rows, f"{verb} before it was stored"
        assert not signature or genuine(rows[key_id], MESSAGE, signature[0])
    assert sum(row.retiring_at is None for row in rows.values()) == 1
    # Whoever comes next gives what is there, made or given, and makes no other.
    office = Office(store, settings(), master=Master.of(master.read_text()), now=NOON)
    signer = await office.desk().ring.signer_of("captain")
    assert genuine(rows[signer.key_id], MESSAGE, signer.sign(MESSAGE))
    assert rows[signer.key_id].retiring_at is None
