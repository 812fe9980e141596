"""The page's own process: where it listens, and what it must know."""

from __future__ import annotations

import json
import secrets
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bots.settings import Settings
from bots.state import write_private
from bots.supervisor import ports
from bots.supervisor.guild import Guild
from bots.supervisor.service import Program

#: where people look first
_USUAL_PORT = 8420


@dataclass(frozen=True)
class Page:
    """The page of one swarm."""

    port: int
    #: what a person logs in with; new at every start
    token: str = field(repr=False)
    #: this machine's right to the usual port
    right: socket.socket | None = field(repr=False)

    @classmethod
    def plan(cls, settings: Settings) -> Page:
        """Raises `PortTaken`."""
        right = ports.claim(_USUAL_PORT)
        port = ports.choose(
            settings.console.port, "console.port", preferred=_USUAL_PORT if right else 0
        )
        return cls(port, secrets.token_urlsafe(18), right)

    @property
    def url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}/"

    @property
    def login(self) -> str:
        """The address that logs in by itself."""
        return f"{self.url}?token={self.token}"

    def close(self) -> None:
        if self.right is not None:
            self.right.close()


def page_program(  # noqa: PLR0917 - whom it serves, and the two doors that it knocks at
    page: Page, settings: Settings, guild: Guild, folder: Path, control_url: str, token: str
) -> Program:
    """The page's process; what it must know is written to a private file in `folder`."""
    config = folder / "console.json"
    facts = {
        "port": page.port,
        "swarm": settings.swarm.name,
        "token": page.token,
        "storage_secret": secrets.token_urlsafe(32),
        "guild": {
            "api": guild.api,
            "gateway": guild.gateway,
            "id": guild.id,
            "users": [
                {"name": u.name, "token": u.token, "operator": u.operator} for u in guild.users
            ],
        },
        "control": {"url": control_url, "token": token},
    }
    write_private(config, json.dumps(facts, indent=1))
    command = [sys.executable, "-P", "-m", "bots.console", "--config", str(config)]
    return Program("console", command, page.port, is_ours=True)
