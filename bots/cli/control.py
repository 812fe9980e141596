"""The command line's way to a running supervisor: its HTTP door on loopback, by standard library alone."""

from __future__ import annotations

import json
import os
import select
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from bots.cli.exits import CommandError, Exit
from bots.state import StateFolder

NOT_RUNNING = "No swarm runs from this state folder; `python3 run.py up` starts one."


class NoAnswer(Exception):
    """The supervisor is there but does not answer in time."""


@dataclass(frozen=True)
class Supervisor:
    pid: int
    url: str
    token: str

    @classmethod
    def find(cls, state: StateFolder) -> Supervisor | None:
        """The supervisor of this state folder if its process lives."""
        facts = state.read_supervisor()
        if facts is None or not _lives(facts["pid"]):
            return None
        return cls(facts["pid"], facts["control_url"], facts["token"])

    @classmethod
    def require(cls, state: StateFolder) -> Supervisor:
        """As `find`; raises `CommandError` (exit 3) when nothing runs."""
        found = cls.find(state)
        if found is None:
            raise CommandError(NOT_RUNNING, Exit.NOT_RUNNING)
        return found

    def get(self, path: str, within_s: float = 5) -> dict[str, Any]:
        return self._call(urllib.request.Request(self.url + path), within_s)

    def post(self, path: str, body: dict[str, Any], within_s: float = 10) -> dict[str, Any]:
        """Raises `CommandError` with the supervisor's own sentence when it refuses, `NoAnswer` when it is mute."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        return self._call(request, within_s)

    def wait_until_gone(self, within_s: float) -> bool:
        """Wait for the process to end; False when it has not."""
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([fd], [], [], within_s)[0])
        finally:
            os.close(fd)

    def _call(self, request: urllib.request.Request, within_s: float) -> dict[str, Any]:
        request.add_header("Authorization", f"Bearer {self.token}")
        # Loopback only: a proxy from the environment has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=within_s) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise CommandError(json.load(error).get("error", str(error))) from None
        except OSError as error:
            raise NoAnswer(
                f"The supervisor (process {self.pid}) does not answer: {error}"
            ) from None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
