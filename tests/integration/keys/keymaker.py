"""A supervisor's part that makes keys until it is killed: ``keymaker.py DATABASE MASTER_FILE``.

It says ``made ID`` when a key was made and nobody has been given it yet, and ``given ID`` with a
signature by it after that.
"""

from __future__ import annotations

import asyncio
import sys

from bots.keys.sealing import Master
from bots.secrets import resolve
from storage.store import Store
from tests.integration.keys.office import Office, settings

MESSAGE = b"what an agent says"


async def main(url: str, master: str) -> None:
    store = await Store.open(url)
    desk = Office(store, settings(), master=Master.of(resolve(f"file:{master}"))).desk()
    while True:
        made = await desk.rotate("captain", "the test")
        print("made", made.key.key_id, flush=True)
        signer = await desk.ring.signer_of("captain")
        print("given", signer.key_id, signer.sign(MESSAGE), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
