"""A local stand-in of HashiCorp Vault: the part of its HTTP API that reads KV version 2.

``GET /v1/{mount}/data/{path}`` with ``X-Vault-Token`` (and ``X-Vault-Namespace``), answers and
errors in the forms of Vault's API documentation.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hvs.token-4711-value"


@dataclass
class Vault:
    url: str = ""
    #: (namespace, mount, path) → fields; None: its newest version was deleted
    secrets: dict[tuple[str, str, str], dict[str, Any] | None] = field(default_factory=dict)
    #: answer everything with this status
    ailing: int = 0
    #: token → paths it may not read
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, token: str, namespace: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.ailing:
            return self.ailing, {"errors": ["Vault is sealed"]}
        if token not in self.tokens:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n"]}
        mount, _, name = path.removeprefix("/v1/").partition("/data/")
        if (namespace, mount, name) not in self.secrets:
            return 404, {"errors": []}
        fields = self.secrets[namespace, mount, name]
        facts = {"created_time": "2026-11-20T12:00:00Z", "destroyed": False, "version": 3}
        if fields is None:
            facts["deletion_time"] = "2026-11-20T12:30:00Z"
            return 404, {"data": {"data": None, "metadata": facts}}
        facts["deletion_time"] = ""
        return 200, {"request_id": "1", "data": {"data": fields, "metadata": facts}}


@contextmanager
def running() -> Iterator[Vault]:
    """A stub that listens on loopback."""
    vault = Vault()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("X-Vault-Token", "")
            space = self.headers.get("X-Vault-Namespace", "")
            status, body = vault.answer(self.path, token, space)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vault.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
