"""The embedded servers: how NATS and miniircd are configured and started. Both listen on loopback
only.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from bots.bus import permissions
from bots.state import write_private
from bots.supervisor.ports import LOOPBACK
from bots.supervisor.service import Program, ServiceFailed

SUPERVISOR = "supervisor"


def nats_server(
    folder: Path,
    port: int,
    passwords: Mapping[str, str],
    receivers: Mapping[str, Sequence[str]],
) -> Program:
    """NATS with a user an agent; `passwords` is user → password and has one for `SUPERVISOR`,
    `receivers` tells to whom each agent may hand work.

    The configuration is written to `folder`; JetStream keeps its files there too.
    """
    users = [_user(name, word, receivers.get(name, ())) for name, word in passwords.items()]
    config = folder / "nats.conf"
    # NATS reads JSON: it is a subset of its configuration language.
    write_private(
        config,
        json.dumps(
            {
                "host": LOOPBACK,
                "port": port,
                "server_name": "parley",
                "max_payload": 65536,
                "jetstream": {"store_dir": str(folder / "jetstream")},
                "authorization": {"users": users},
            },
            indent=1,
        ),
    )
    return Program("nats", [_program("nats-server"), "--config", str(config)], port)


def _user(name: str, password: str, receivers: Sequence[str]) -> dict[str, object]:
    user: dict[str, object] = {"user": name, "password": password}
    if name != SUPERVISOR:
        allowed = permissions(name, receivers)
        user["permissions"] = {k: {"allow": v} for k, v in allowed.items()}
    return user


def irc_server(port: int) -> Program:
    """miniircd, a program of its own (it is GPL and never imported)."""
    command = [sys.executable, "-P", "-m", "miniircd", "--listen", LOOPBACK, "--ports", str(port)]
    as_root = os.getuid() == 0
    if as_root:
        command += ["--setuid", "nobody"]
    return Program("irc", command, port, changes_user=as_root)


def _program(name: str) -> str:
    beside_python = Path(sysconfig.get_path("scripts")) / name
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    if found is None:
        raise ServiceFailed(f"{name} is not installed: run `python3 run.py doctor`")
    return found
