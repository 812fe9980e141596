"""A captain's process, as far as it tells events: `python teller.py URL EPOCH FOLDER`.

It speaks on two networks that write each line into a file: `irc` knows no keys, `discord` takes no
line twice under one key. Between its steps it waits a moment, so that `kill -9` finds it anywhere.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from bots.answering.mouth import Mouth
from bots.answering.recovery import Recovery
from bots.clock import utc_now
from bots.events.dispatcher import Dispatcher
from bots.messages import Delivery, Target
from brain.guard import Guard, LatchPolicy
from storage.acts import Permit
from storage.errors import StorageError
from storage.store import Store
from tests.integration.herald.rig import Paper

LOG = structlog.get_logger()
#: how much faster than a clock the waiting for proof goes
HASTE = 10


class File(Paper):
    """A network in a file: a line of it is one `write`, so it is there or it is not."""

    def __init__(self, network: str, path: Path, *, knows_keys: bool) -> None:
        super().__init__(network)
        self.knows_keys = knows_keys
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        permit.check("send", str(target), now_s=time.monotonic())
        await _moment()
        for key, part in zip(keys, parts, strict=True):
            os.write(self._file, f"{key}\t{part!r}\n".encode())
        await _moment()
        return [Delivery(sent=True, proof="id:1") for _ in parts]


async def _moment() -> None:
    await asyncio.sleep(random.uniform(0, 0.1))


async def live(url: str, epoch: int, folder: Path) -> None:
    store = await Store.open(url)
    networks: dict[str, Any] = {
        "irc": File("irc", folder / "irc", knows_keys=False),
        "discord": File("discord", folder / "discord", knows_keys=True),
    }
    guard = Guard(store, [LatchPolicy(lambda _: None)], time.monotonic, utc_now)
    recovery = Recovery(
        store,
        guard,
        networks,
        "captain",
        epoch,
        clock=utc_now,
        log=LOG,
        now_s=lambda: time.monotonic() * HASTE,
    )
    dispatcher = Dispatcher(
        Mouth(store, guard, networks, "captain", utc_now, LOG, lambda: recovery.knows),
        epoch,
        hops=4,
        latch=lambda: None,
        redact=str,
        clock=utc_now,
        monotonic=lambda: time.monotonic() * HASTE * HASTE,
        log=LOG,
    )
    (folder / f"born.{epoch}").touch()
    while True:
        with suppress(StorageError):
            await recovery.look()
            await dispatcher.look()
        await _moment()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
