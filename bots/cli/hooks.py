"""The command line's way to an agent's door, by standard library alone."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bots.cli.exits import CommandError, Exit

#: beyond the time that the door was asked to wait
_PATIENCE_S = 20.0


class NoDoor(Exception):
    """Nobody answers there; what was asked may have been heard all the same."""


class Refusal(Exception):
    """The door said no; the text is its sentence."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(answer.get("error", f"HTTP {status}"))
        self.status = status
        self.answer = answer


@dataclass(frozen=True)
class HookClient:
    """One agent's door: its address, with or without a path behind it, and the hooks' token."""

    url: str
    token: str = field(repr=False)

    def post(
        self, path: str, body: dict[str, Any], *, key: str, wait_s: float
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; the same `key` gives the first answer again. Raises `Refusal`,
        `NoDoor`.
        """
        connection = self._connection(wait_s + _PATIENCE_S)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.load(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoDoor(f"{self.url} does not answer: {error}") from None
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise Refusal(response.status, answer)
        return response.status, answer

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        url = urlsplit(self.url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise CommandError(f"{self.url!r} is no address such as http://host:8080", Exit.USAGE)
        if url.scheme == "https":
            return http.client.HTTPSConnection(
                url.hostname, url.port, timeout=timeout_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_s)
