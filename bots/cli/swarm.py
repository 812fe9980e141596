"""up, down, status, restart, kill, resume, sign: the swarm as a whole."""

from __future__ import annotations

from bots.cli.killing import kill, resume, sign
from bots.cli.running import down, restart, up
from bots.cli.showing import status

__all__ = ["down", "kill", "restart", "resume", "sign", "status", "up"]
