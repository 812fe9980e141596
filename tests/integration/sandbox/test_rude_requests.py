"""Bodies and headers that no library sends: refused with JSON, and the server goes on."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.integration.sandbox.stage import CAPTAIN, YOU, Sandbox

JSON = "application/json"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"{",
        b"[]",
        b'"hello"',
        b"7",
        b"null",
        b'{"content": "half a pair: \\ud83d"}',
        b'{"content": NaN}',
        b'{"nonce": 1e999, "content": "x"}',
        b"[" * 100_000,
        b'{"content":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        b'{"content": ["x"]}',
        b'{"content": "x", "embeds": 5, "components": "q", "allowed_mentions": [1]}',
        b'{"content": "x", "message_reference": {"message_id": "99999999999999999999999"}}',
        b'{"content": "x", "flags": "a", "tts": 7}',
        b'{"content": "x", "nonce": {"a": 1}}',
    ],
    ids=lambda raw: raw[:40].decode("latin-1"),
)
async def test_a_body_that_is_no_message_is_refused_in_json(sandbox: Sandbox, raw: bytes) -> None:
    status, body = await _post(sandbox, raw, {"Content-Type": JSON})
    assert status == 400
    assert body["code"] in (50035, 50109)
    await _still_alive(sandbox)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n{}", "multipart/form-data"),
        (b"{}", "multipart/form-data; boundary="),
        (
            b'--x\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=str,
)
async def test_a_broken_form_is_refused_in_json(sandbox: Sandbox, raw: bytes, kind: str) -> None:
    status, body = await _post(sandbox, raw, {"Content-Type": kind})
    assert status == 400
    assert "code" in body
    await _still_alive(sandbox)


@pytest.mark.parametrize(
    "token", ["", "Bot", "Bot ", "nobody", CAPTAIN, f"Bot {YOU}", f"Bearer {YOU}", "\u00e9"]
)
async def test_without_a_good_token_nothing_is_answered(sandbox: Sandbox, token: str) -> None:
    url = f"http://127.0.0.1:{sandbox.port}/api/v10/users/@me"
    async with sandbox._http.get(url, headers={"Authorization": token}) as response:
        assert response.status == 401
        assert response.headers["Content-Type"] == JSON
        assert await response.json() == {"message": "401: Unauthorized", "code": 0}


@pytest.mark.parametrize("path", ["/users/@me/none", "/channels/x/messages", "/guilds/1/vanity"])
async def test_an_unknown_address_is_404_in_json_and_loud(
    sandbox: Sandbox, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status, body = await sandbox.person().try_to("GET", path)
    assert (status, body) == (404, {"message": "404: Not Found", "code": 0})
    assert path in capfd.readouterr().err


@pytest.mark.parametrize(
    "path",
    [
        "/attachments/1/2/x.txt",
        "/attachments/1/2/..%2f..%2fetc%2fpasswd",
        f"/attachments/{'9' * 30}/2/x",
        "/avatars/1/abc.png",
        "/embed/avatars/9.png",
    ],
)
async def test_files_that_are_not_there_are_404(sandbox: Sandbox, path: str) -> None:
    async with sandbox._http.get(f"http://127.0.0.1:{sandbox.port}{path}") as response:
        assert response.status == 404


async def test_a_default_avatar_is_a_picture(sandbox: Sandbox) -> None:
    url = f"http://127.0.0.1:{sandbox.port}/embed/avatars/0.png"
    async with sandbox._http.get(url) as response:
        assert response.headers["Content-Type"] == "image/png"
        assert (await response.read()).startswith(b"\x89PNG")


async def test_a_file_is_never_a_page_of_this_server(sandbox: Sandbox) -> None:
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "look"}), content_type=JSON)
    form.add_field(
        "files[0]", b"<script>alert(1)</script>", filename="a.html", content_type="text/html"
    )
    lobby = await _lobby(sandbox)
    said = await sandbox.person().ask("POST", f"/channels/{lobby}/messages", data=form)
    async with sandbox._http.get(said["attachments"][0]["url"]) as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert await response.read() == b"<script>alert(1)</script>"


async def _lobby(sandbox: Sandbox) -> str:
    channels = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/channels")
    return str(next(c["id"] for c in channels if c["name"] == "lobby"))


async def _post(sandbox: Sandbox, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    url = f"http://127.0.0.1:{sandbox.port}/api/v10/channels/{await _lobby(sandbox)}/messages"
    headers = {"Authorization": YOU} | headers
    async with sandbox._http.post(url, data=raw, headers=headers) as response:
        assert response.headers["Content-Type"] == JSON, await response.text()
        return response.status, await response.json()


async def _still_alive(sandbox: Sandbox) -> None:
    lobby = await _lobby(sandbox)
    await sandbox.person().say(lobby, "still here")
    assert [m["content"] for m in await sandbox.person().history(lobby)] == ["still here"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v10/voice/regions", "/api/x", "/oauth2/authorize", "/"])
async def test_an_unknown_address_answers_404_and_is_named_loudly_wherever_it_lies(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], method: str, path: str
) -> None:
    url = f"http://127.0.0.1:{sandbox.port}{path}"
    async with sandbox._http.request(method, url) as response:
        assert response.status == 404
        assert (await response.json())["message"] == "404: Not Found"
    assert f"UNKNOWN ROUTE {method} {path}\n" in capsys.readouterr().err
