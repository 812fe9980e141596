"""The command line's way to a running supervisor: its HTTP door on loopback, by standard library
alone.
"""

from __future__ import annotations

import http
import http.client
import json
import os
import select
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bots.cli.exits import CommandError, Exit
from bots.state import StateFolder

NOT_RUNNING = "No swarm runs from this state folder; `python3 run.py up` starts one."


class NoAnswer(Exception):
    """The supervisor is there but does not answer in time."""


@dataclass(frozen=True)
class Supervisor:
    pid: int
    host: str
    port: int
    token: str

    @classmethod
    def find(cls, state: StateFolder) -> Supervisor | None:
        """The supervisor of this state folder if its process lives."""
        facts = state.read_supervisor()
        if facts is None or not _lives(facts["pid"]):
            return None
        url = urlsplit(facts["control_url"])
        return cls(facts["pid"], url.hostname or "", url.port or 0, facts["token"])

    @classmethod
    def require(cls, state: StateFolder) -> Supervisor:
        """As `find`; raises `CommandError` (exit 3) when nothing runs."""
        found = cls.find(state)
        if found is None:
            raise CommandError(NOT_RUNNING, Exit.NOT_RUNNING)
        return found

    def get(self, path: str, within_s: float = 5) -> dict[str, Any]:
        return self._call("GET", path, None, within_s)

    def post(self, path: str, body: dict[str, Any], within_s: float = 10) -> dict[str, Any]:
        """Raises `CommandError` with the supervisor's own sentence when it refuses.

        Raises `NoAnswer` when it is mute.
        """
        return self._call("POST", path, json.dumps(body), within_s)

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

    def _call(self, method: str, path: str, body: str | None, within_s: float) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=within_s)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.load(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(
                f"The supervisor (process {self.pid}) does not answer: {error}"
            ) from None
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise CommandError(answer.get("error", response.reason))
        return answer


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
