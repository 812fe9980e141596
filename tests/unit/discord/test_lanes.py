"""Downloads never change the order of a channel, and never hold up another one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from bots.discord.lanes import Lanes
from bots.messages import Heard, Place, Target
from storage.tables import LineKind


def _line(channel: str, text: str) -> Heard:
    return Heard(
        network="discord",
        where=Target("discord", Place.CHANNEL, channel),
        sender="ann",
        kind=LineKind.SAID,
        text=text,
        heard_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


async def test_a_channel_keeps_its_order_and_the_others_do_not_wait() -> None:
    out: list[str] = []
    lanes = Lanes(lambda line: out.append(line.text))
    slow, quick = asyncio.Event(), asyncio.Event()

    async def download(gate: asyncio.Event, text: str) -> str:
        await gate.wait()
        return text

    lanes.take(_line("1", "first"), download(slow, "[a]"))
    lanes.take(_line("1", "second"), download(quick, "[b]"))
    lanes.take(_line("1", "third"))
    lanes.take(_line("2", "elsewhere"))
    quick.set()
    await asyncio.sleep(0)
    assert out == ["elsewhere"]
    slow.set()
    await lanes.settled()
    assert out == ["elsewhere", "first\n[a]", "second\n[b]", "third"]


async def test_a_line_without_words_is_what_is_attached() -> None:
    out: list[str] = []
    lanes = Lanes(lambda line: out.append(line.text))

    async def download() -> str:
        return "[attachment a.txt, 1 B]"

    lanes.take(_line("1", ""), download())
    await lanes.settled()
    assert out == ["[attachment a.txt, 1 B]"]


async def test_what_waits_at_the_end_is_passed_on_without_its_attachment() -> None:
    out: list[str] = []
    lanes = Lanes(lambda line: out.append(line.text))

    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    lanes.take(_line("1", "first"), never())
    lanes.take(_line("1", "second"))
    lanes.close()
    assert out == ["first", "second"]
