"""The sandbox guild's own process: ``python -m bots.sandbox --config FILE``.

It says ``{"port": N, "guild": "<id>"}`` when it listens; `bots.standalone` has the rest.
"""

from __future__ import annotations

import sys

from bots import standalone
from bots.sandbox.config import Config
from bots.sandbox.server import Server, build


def _says(server: Server) -> dict[str, object]:
    return {"port": server.port, "guild": str(server.guild_id)}


if __name__ == "__main__":
    sys.exit(standalone.main("sandbox guild", "bots.sandbox", Config, build, _says))
