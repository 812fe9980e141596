"""The local model's process: how it is started, and where it answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bots.local_model import packages
from bots.state import write_private
from bots.supervisor.ports import LOOPBACK
from bots.supervisor.service import Program, ServiceFailed

#: also its log's name, which no agent may have
NAME = "local"


def address(port: int) -> str:
    """Root of its API."""
    return f"http://{LOOPBACK}:{port}/v1"


def local_program(folder: Path, port: int) -> Program:
    """What must be known is written to a private file in `folder`.

    :raises ServiceFailed: its packages are not installed
    """
    lacking = packages.missing()
    if lacking:
        raise ServiceFailed(
            f"an agent thinks with the local model, but {' and '.join(lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'} not installed: `python3 run.py up` installs "
            f"it, or by hand: {packages.INSTALL}"
        )
    config = folder / "local.json"
    write_private(config, json.dumps({"port": port}))
    command = [sys.executable, "-P", "-m", "bots.local_model", "--config", str(config)]
    return Program(NAME, command, port, is_ours=True, health="/health")
