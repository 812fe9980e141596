"""`run.py delegate` ends with a code that says why a door refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bots.cli.app import main
from bots.cli.exits import Exit


@contextmanager
def door(status: int, code: str) -> Iterator[str]:
    """A door that refuses everything so; its address."""

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"error": "not now", "code": code}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing on standard error: the test reads what the command says there."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "code", "ends"),
    [
        (503, "killed", Exit.KILLED),
        (503, "unavailable", Exit.FAILED),
        (404, "unknown_agent", Exit.USAGE),
        (403, "not_allowed", Exit.FAILED),
    ],
)
def test_a_refusal_has_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, code: str, ends: Exit
) -> None:
    token = tmp_path / "token"
    token.write_text("x" * 32)
    token.chmod(0o600)
    with door(status, code) as url:
        words = ["delegate", "auditor", "help", "--hook", url, "--token", f"file:{token}"]
        assert main(words) == ends
    assert "not now" in capsys.readouterr().err
