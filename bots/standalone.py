"""A small server as a process of its own, as the sandbox guild and the page are.

It reads its private file, says on one line of JSON where it listens, and ends by SIGTERM or SIGINT
with status 0. Status 2: the configuration is wrong; 3: the port is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from bots import private_file
from bots.private_file import ConfigError, Listening

_WRONG_CONFIG = 2
_PORT_TAKEN = 3

Config = TypeVar("Config", bound=Listening)
Server = TypeVar("Server")


def main(
    name: str,
    package: str,
    into: type[Config],
    build: Callable[[Config], AbstractAsyncContextManager[Server]],
    says: Callable[[Server], dict[str, object]],
) -> int:
    """Run what `build` makes of the file after ``--config``; gives the exit status.

    Complaints on stderr begin with `name`; `says` is the line on stdout, once it listens.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=f"The {name}.")
    parser.add_argument("--config", type=Path, required=True, help="JSON, mode 0600")
    path: Path = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        config = private_file.read(path, into)
        asyncio.run(_serve(config, build, says))
    except ConfigError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return _WRONG_CONFIG
    except OSError as error:
        sys.stderr.write(f"{name}: cannot listen on port {config.port}: {error.strerror}\n")
        return _PORT_TAKEN
    return 0


async def _serve(
    config: Config,
    build: Callable[[Config], AbstractAsyncContextManager[Server]],
    says: Callable[[Server], dict[str, object]],
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with build(config) as server:
        sys.stdout.write(json.dumps(says(server)) + "\n")
        sys.stdout.flush()
        await ended.wait()
