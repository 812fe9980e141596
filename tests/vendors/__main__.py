"""A stub of the vendors as a process: ``python -m tests.vendors --port 8900``.

It says on one line of JSON where it listens, and ends by SIGTERM or SIGINT. See `replies` for what
it answers, and `server` for how to read its bill and make a model fail.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from tests.vendors.replies import by_words
from tests.vendors.script import Script
from tests.vendors.server import serving


async def _serve(port: int, models: list[str] | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with serving(Script(choose=by_words, models=models), port) as stub:
        where = {"port": stub.port, "anthropic": stub.url, "openai": stub.openai_url}
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()
        await ended.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vendors", description="A stub.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument(
        "--model", action="append", help="a model that it has, and no other; left out: any name"
    )
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.model))
    return 0


if __name__ == "__main__":
    sys.exit(main())
