"""The page's own process: ``python -m bots.console --config FILE``.

It says ``{"port": N}`` when it listens; `bots.standalone` has the rest.
"""

from __future__ import annotations

import sys

from bots import standalone
from bots.console.config import Config
from bots.console.server import Server


def _says(server: Server) -> dict[str, object]:
    return {"port": server.port}


if __name__ == "__main__":
    sys.exit(standalone.main("console", "bots.console", Config, Server, _says))
