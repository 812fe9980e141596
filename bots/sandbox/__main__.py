"""The sandbox guild's own process: `python -m bots.sandbox --config FILE`.

It says ``{"port": N, "guild": "<id>"}`` on one line when it listens, and ends by SIGTERM or
SIGINT with status 0. Status 2: the configuration is wrong; 3: the port is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from bots.private_file import ConfigError
from bots.sandbox.config import Config, read
from bots.sandbox.server import build

_WRONG_CONFIG = 2
_PORT_TAKEN = 3


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bots.sandbox", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON, mode 0600")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        config = read(options.config)
        return asyncio.run(_serve(config))
    except ConfigError as error:
        sys.stderr.write(f"sandbox guild: {error}\n")
        return _WRONG_CONFIG
    except OSError as error:
        sys.stderr.write(f"sandbox guild: cannot listen on port {config.port}: {error.strerror}\n")
        return _PORT_TAKEN


async def _serve(config: Config) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with build(config) as server:
        sys.stdout.write(json.dumps({"port": server.port, "guild": str(server.guild_id)}) + "\n")
        sys.stdout.flush()
        await ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
