"""The page's own process: ``python -m bots.console --config FILE``.

It says ``{"port": N}`` on one line when it listens, and ends by SIGTERM or SIGINT with status 0.
Status 2: the configuration is wrong; 3: the port is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from bots.console.config import Config, read
from bots.console.server import Server
from bots.private_file import ConfigError

_WRONG_CONFIG = 2
_PORT_TAKEN = 3


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bots.console", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON, mode 0600")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        config = read(options.config)
    except ConfigError as error:
        sys.stderr.write(f"console: {error}\n")
        return _WRONG_CONFIG
    try:
        return asyncio.run(_serve(config))
    except OSError as error:
        sys.stderr.write(f"console: cannot listen on port {config.port}: {error.strerror}\n")
        return _PORT_TAKEN


async def _serve(config: Config) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with Server(config) as server:
        sys.stdout.write(json.dumps({"port": server.port}) + "\n")
        sys.stdout.flush()
        await ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
