"""The local model's own process: ``python -m bots.local_model --config FILE``.

It says ``{"port": N}`` when it listens; `bots.standalone` has the rest.
"""

from __future__ import annotations

import sys

from bots import standalone
from bots.local_model.server import Server, build
from bots.private_file import Listening


def _says(server: Server) -> dict[str, object]:
    return {"port": server.port}


if __name__ == "__main__":
    sys.exit(standalone.main("local model", "bots.local_model", Listening, build, _says))
