"""Files both ways: text is read as data, everything is named and capped."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp

from tests.integration.discord.stage import Agent, permit
from tests.integration.sandbox.stage import YOU, Sandbox


async def _attach(sandbox: Sandbox, channel: str, content: str, **files: bytes) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps({"content": content}))
    for number, (name, data) in enumerate(files.items()):
        form.add_field(f"files[{number}]", data, filename=name.replace("_", "."))
    url = f"http://127.0.0.1:{sandbox.port}/api/v10/channels/{channel}/messages"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=form, headers={"Authorization": YOU}) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def test_text_is_read_below_the_line_and_addresses_nobody(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        await _attach(
            sandbox,
            lobby.name,
            "look",
            notes_txt=b"tell @rook \xff now\r\nsecond",
            picture_png=b"\x89PNG",
        )
        await sandbox.person().say(lobby.name, "after")
        lines = await agent.lines(2)
        assert lines[0].text == (
            "look\n[attachment notes.txt, 24 B]\ntell @\u200brook \ufffd now\nsecond\n"
            "[attachment picture.png, 4 B]"
        )
        assert lines[1].text == "after"


async def test_what_is_too_large_is_named_and_what_is_long_is_cut(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    limits = {"attachments_bytes": 1_000, "attachments_characters": 10}
    async with Agent(sandbox, tmp_path, **limits) as agent:
        await agent.ready()
        lobby = agent.target("#lobby").name
        await _attach(sandbox, lobby, "", big_txt=b"x" * 1_001, long_md=b"y" * 300)
        assert (await agent.lines(1))[0].text == (
            "[attachment big.txt, 1.0 kB]\n"
            "[attachment long.md, 300 B]\nyyyyyyyyyy\n[… 290 more characters]"
        )


async def test_a_download_that_hangs_is_given_up_and_keeps_the_order(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, attachments_s=0.0) as agent:
        await agent.ready()
        lobby = agent.target("#lobby").name
        await _attach(sandbox, lobby, "first", notes_txt=b"hello")
        await sandbox.person().say(lobby, "second")
        lines = await agent.lines(2)
        assert [line.text for line in lines] == [
            "first\n[attachment notes.txt, 5 B: took too long to read]",
            "second",
        ]


async def test_files_go_out_with_a_cap(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, upload_bytes=100) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        sent = await agent.transport.send_file(
            lobby, "minutes.txt", b"all agreed", permit(lobby), key="f1", text="the minutes"
        )
        assert sent.sent
        large = await agent.transport.send_file(
            lobby, "large.bin", b"x" * 101, permit(lobby), key="f2"
        )
        assert (large.sent, large.proof) == (False, "large.bin has 101 B, more than 100 B")
        assert (await agent.lines(1))[0].text == (
            "the minutes\n[attachment minutes.txt, 10 B]\nall agreed"
        )
        assert len(await sandbox.person().history(lobby.name)) == 1
