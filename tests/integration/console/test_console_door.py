"""The page's own door, without a browser: login, cookies, headers, and how the process ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.console.stage import (
    LOGIN,
    PATIENCE_S,
    ROOT,
    Scene,
    console_config,
    scene,
)


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Scene]:
    """The processes without bots."""
    async with scene(tmp_path, with_bots=False) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield session


async def ask(http: aiohttp.ClientSession, url: str, **how: Any) -> aiohttp.ClientResponse:
    method = how.pop("method", "GET")
    async with http.request(method, url, allow_redirects=False, **how) as response:
        await response.read()
        return response


async def test_nothing_is_shown_without_a_login(quiet: Scene, http: aiohttp.ClientSession) -> None:
    html = {"Accept": "text/html"}
    for path in ("/", "/c/1", "/waiting"):
        response = await ask(http, quiet.url + path, headers=html)
        assert (response.status, response.headers["Location"]) == (302, "/login")
    for path in ("/events", "/older/1/1", "/attachments/1/1/x", "/avatars/1/x.png"):
        assert (await ask(http, quiet.url + path)).status == 401
    assert (await ask(http, quiet.url + "/act/kill", method="POST", json={})).status == 401
    http.cookie_jar.update_cookies({f"parley_{quiet.guild_id}": "e30.forged"})
    assert (await ask(http, quiet.url + "/events")).status == 401


async def test_the_token_logs_in_once_and_leaves_the_address(
    quiet: Scene, http: aiohttp.ClientSession
) -> None:
    response = await ask(http, f"{quiet.url}/?token={LOGIN}")
    assert (response.status, response.headers["Location"]) == (302, "/")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert LOGIN not in cookie
    async with http.get(quiet.url) as page:
        text = await page.text()
    assert page.status == 200
    assert LOGIN not in text
    assert "user-token" not in text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "<script>" not in text
    assert " style=" not in text
    response = await ask(http, quiet.url + "/logout", method="POST")
    assert response.headers["Location"] == "/login"
    assert (await ask(http, quiet.url + "/events")).status == 401


async def test_guesses_are_slowed_down_and_lock_nobody_out(
    quiet: Scene, http: aiohttp.ClientSession
) -> None:
    login = quiet.url + "/login"
    statuses = [
        (await ask(http, login, method="POST", data={"token": f"guess{n}"})).status
        for n in range(5)
    ]
    assert statuses == [403] * 5
    # any page of the web can send guesses, by form or by a picture's address
    response = await ask(http, f"{quiet.url}/?token=guess5")
    assert response.status == 429
    assert 0 < int(response.headers["Retry-After"]) <= 61
    assert (await ask(http, quiet.url + "/events")).status == 401
    # who has the right one need not wait for that
    response = await ask(http, login, method="POST", data={"token": LOGIN})
    assert (response.status, response.headers["Location"]) == (302, "/")
    # and the others wait as before
    response = await ask(http, login, method="POST", data={"token": "guess6"})
    assert response.status == 429


async def test_foreign_pages_and_names_are_refused(
    quiet: Scene, http: aiohttp.ClientSession
) -> None:
    await ask(http, f"{quiet.url}/?token={LOGIN}")
    rebound = await ask(http, quiet.url + "/login", headers={"Host": "evil.example"})
    assert rebound.status == 403
    foreign = {"Origin": "http://evil.example"}
    act = quiet.url + "/act/kill"
    assert (await ask(http, act, method="POST", json={}, headers=foreign)).status == 403
    assert quiet.door.orders == []
    assert (await ask(http, act, method="POST", data="{")).status == 400
    assert (await ask(http, quiet.url + "/act/nothing", method="POST", json={})).status == 404
    user = {"user": "nobody"}
    assert (await ask(http, quiet.url + "/act-as", method="POST", json=user)).status == 404
    # Python reads no number of so many digits: such an address leads back to the beginning.
    assert (await ask(http, f"{quiet.url}/c/{'9' * 5_000}")).status == 302


async def test_it_ends_at_once_with_pages_open_and_stays_small(
    quiet: Scene, http: aiohttp.ClientSession
) -> None:
    await ask(http, f"{quiet.url}/?token={LOGIN}")
    async with http.get(quiet.url) as page:
        assert page.status == 200
    async with http.get(f"{quiet.url}/events?view=waiting&from=old.1") as events:
        assert await events.content.readline() == b"event: reload\n"
        rollup = Path(f"/proc/{quiet.console.pid}/smaps_rollup").read_text()
        pss_kib = next(int(r.split()[1]) for r in rollup.splitlines() if r.startswith("Pss:"))
        assert pss_kib < 130 * 1024
        began = asyncio.get_running_loop().time()
        quiet.console.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await quiet.console.wait() == 0
        assert asyncio.get_running_loop().time() - began < 2.0


@pytest.mark.parametrize(
    ("change", "mode", "says"), [({}, 0o644, "chmod 600"), ({"port": -1}, 0o600, "port")]
)
async def test_a_wrong_file_is_refused_in_a_sentence_without_a_secret(
    tmp_path: Path, change: dict[str, Any], mode: int, says: str
) -> None:
    path = tmp_path / "console.json"
    path.write_text(json.dumps(console_config(1, "1", 1) | change))
    path.chmod(mode)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bots.console",
        "--config",
        str(path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert says in err.decode()
    assert LOGIN not in err.decode()


async def test_a_taken_port_is_said(quiet: Scene, tmp_path: Path) -> None:
    port = int(quiet.url.rpartition(":")[2])
    path = tmp_path / "second.json"
    path.write_text(json.dumps(console_config(1, "1", 1) | {"port": port}))
    path.chmod(0o600)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bots.console",
        "--config",
        str(path),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        _, err = await process.communicate()
    assert process.returncode == 3
    assert f"port {port}" in err.decode()
