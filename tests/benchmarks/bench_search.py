"""Full-text search over 100,000 lines, asked as people ask: rare words, common ones, several."""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bots.cli.project import ROOT
from bots.replay.keep import keep_log, lines_of
from bots.replay.parse import Event, EventKind, parse
from brain.words import telling
from storage import search
from storage.migrate import upgrade
from storage.record import NewLine
from storage.store import Store
from tests.benchmarks.figures import at_most, percentile, progress, report, spread

DAYS = ROOT.parent / "shared" / "data" / "ubuntu-irc"
SHIPPED = ROOT / "prompts" / "tour" / "conversation.txt"
LINES = 100_000
QUESTIONS = 600
FIRST_DAY = date(2026, 1, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def main() -> None:
    rng = random.Random(1)
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    try:
        store = await Store.open(f"sqlite:///{folder / 'parley.sqlite'}")
        await upgrade(store, folder / "upgrade.lock")
        try:
            lines, what = await fill(store)
            await ask(store, lines, what, rng)
        finally:
            await store.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def fill(store: Store) -> tuple[list[NewLine], str]:
    """Days of real talk, over and over, each time on another date and in one of three channels."""
    logs, what = read()
    stored: list[NewLine] = []
    began_s = time.monotonic()
    number = 0
    while len(stored) < LINES:
        lines = lines_of(
            logs[number % len(logs)],
            network="irc",
            channel=f"#days{number % 3}",
            day=FIRST_DAY + timedelta(days=number),
            now=NOW,
            trace_id="bench",
        )
        talk = [x for x in lines if x.text.strip()][: LINES - len(stored)]
        await keep_log(store, talk, on_kept=lambda _count: None)
        stored += talk
        number += 1
    took_s = time.monotonic() - began_s
    progress(f"{len(stored)} lines of {number} days stored in {took_s:.0f} s")
    return stored, what


def read() -> tuple[list[Sequence[Event]], str]:
    paths = sorted(DAYS.glob("*.txt"))
    what = f"{len(paths)} real days, repeated" if paths else "the shipped conversation, repeated"
    texts = [p.read_text(encoding="utf-8", errors="replace") for p in paths or [SHIPPED]]
    return [parse(text.split("\n")).events for text in texts], what


async def ask(store: Store, lines: Sequence[NewLine], what: str, rng: random.Random) -> None:
    said = [x for x in lines if x.kind == EventKind.SAID and len(telling(x.text)) >= 3]
    common = ["ubuntu", "install", "sudo apt-get install", "driver", "how do i"]
    kinds: dict[str, list[dict[str, object]]] = {
        "one word": [{"words": one(rng, said)} for _ in range(QUESTIONS // 3)],
        "two words of a line": [{"words": two(rng, said)} for _ in range(QUESTIONS // 3)],
        "common words": [{"words": rng.choice(common)} for _ in range(QUESTIONS // 12)],
        "one person's": [person(rng, said) for _ in range(QUESTIONS // 12)],
        "one channel's": [
            {"words": one(rng, said), "channel": "#days1"} for _ in range(QUESTIONS // 12)
        ],
        "a period's": [
            {"words": one(rng, said), "since": NOW - timedelta(days=250), "until": NOW}
            for _ in range(QUESTIONS // 12)
        ],
    }
    everything: list[float] = []
    for kind, questions in kinds.items():
        took_ms = [await timed(store, question) for question in questions]
        everything += took_ms
        report(
            "search",
            f"{kind}, p99",
            percentile(took_ms, 99),
            "ms",
            note=f"{spread(took_ms, 2)} searches, the 100 best lines of each",
        )
    report(
        "search",
        f"search over {LINES:,} lines, p99",
        percentile(everything, 99),
        "ms",
        target=at_most(50),
        note=f"SQLite FTS5; {what}; median {statistics.median(everything):.2f}, "
        f"slowest {max(everything):.1f} of {len(everything)}",
    )


async def timed(store: Store, question: dict[str, object]) -> float:
    arguments = dict(question)
    words = str(arguments.pop("words"))
    began_s = time.perf_counter()
    async with store.reading() as unit:
        await search.find(unit, words, limit=100, **arguments)  # type: ignore[arg-type]
    return (time.perf_counter() - began_s) * 1000


def one(rng: random.Random, said: Sequence[NewLine]) -> str:
    return rng.choice(telling(rng.choice(said).text))


def two(rng: random.Random, said: Sequence[NewLine]) -> str:
    return " ".join(rng.sample(telling(rng.choice(said).text), 2))


def person(rng: random.Random, said: Sequence[NewLine]) -> dict[str, object]:
    line = rng.choice(said)
    return {"words": rng.choice(telling(line.text)), "sender": line.sender}


if __name__ == "__main__":
    asyncio.run(main())
