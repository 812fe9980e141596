"""`run.py tour` tells the whole story by itself, tells when it is not true, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.acceptance.stage import ROOT, Swarm

Make = Callable[..., Swarm]

WITHIN_S = 90.0
LOG = """\
=== ann [ann@a.example]  has joined #x
[10:00] <ann> does anybody know why the boiler in the attic leaks?
[10:01] <bob> ann: is it the boiler valve?
[10:02] <ann> bob: I think it is the boiler valve, it drips
[10:02] <cyn> a boiler valve costs twelve euros, I have a spare one
[10:03]  * ann rejoices
[10:04] <ann> cyn: I fetch it tonight
"""
WRONG = """\
[[question]]
to = "captain"
ask = "who mentioned the mixer?"
words = ["a word that nobody said"]
"""


@dataclass
class Told:
    code: int
    out: str
    err: str


@dataclass
class Tour:
    """`run.py tour` with a folder for its temporary files that we can look into."""

    folder: Path

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "run.py"),
            "tour",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"TMPDIR": str(self.folder)},
        )

    async def run(self, *words: str) -> Told:
        process = await self.start(*words)
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Told(process.returncode, out.decode(), err.decode())

    def left(self) -> list[str]:
        """What is still there of it: folders, and processes that run from them."""
        found = [path.name for path in self.folder.glob("parley-tour-*")]
        for process in psutil.process_iter(["cmdline", "status"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.folder) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(words)
        return found


@pytest.fixture
def tour(tmp_path: Path) -> Tour:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return Tour(folder)


async def test_the_tour_tells_the_whole_story_and_leaves_nothing(tour: Tour) -> None:
    told = await tour.run()
    assert told.code == 0, told.err + told.out
    assert "8 agents are ready after" in told.out
    assert "<visitor> captain: who mentioned the mixer?" in told.out
    assert "<marlow> transformer is in, the mixer is quiet. ines, tobi: that fixed it" in told.out
    assert "all 8 confirmed, the slowest after" in told.out
    assert "answered what was said to its dead predecessor" in told.out
    assert "Everything held" in told.out
    assert "✗" not in told.out
    assert tour.left() == []


async def test_any_log_will_do_and_another_swarm_goes_on(tour: Tour, swarm: Make) -> None:
    other = swarm(agents=("captain",))
    before = await other.up()
    log = tour.folder / "attic.txt"
    log.write_text(LOG)
    told = await tour.run("--log", str(log))
    assert told.code == 0, told.err + told.out
    assert "who mentioned boiler valve?" in told.out
    assert "<cyn> a boiler valve costs twelve euros, I have a spare one" in told.out
    assert tour.left() == []
    after = await other.status()
    assert [a["pid"] for a in after["agents"]] == [a["pid"] for a in before["agents"]]


async def test_an_expectation_that_does_not_hold_fails_the_tour_in_words(tour: Tour) -> None:
    questions = tour.folder / "questions.toml"
    questions.write_text(WRONG)
    told = await tour.run("--questions", str(questions), "--keep")
    assert told.code == 1
    assert "✗ not so: “who mentioned the mixer?”" in told.out
    assert "does not hold “a word that nobody said”" in told.err
    [folder] = tour.folder.glob("parley-tour-*")
    assert f"Kept: {folder}" in told.out
    assert (folder / ".parley" / "parley.sqlite").exists()
    assert tour.left() == [folder.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_tour_that_is_interrupted_leaves_no_process(
    tour: Tour, number: signal.Signals
) -> None:
    process = await tour.start()
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        while b"People talk" not in await process.stdout.readline():
            pass
        process.send_signal(number)
        await process.communicate()
        if number is signal.SIGKILL:
            # It cannot remove its folder; its processes die with it, a moment later.
            while tour.left()[1:]:  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.05)
            return
    assert process.returncode == 130
    assert tour.left() == []


async def test_a_log_that_is_none_is_told_before_anything_starts(tour: Tour) -> None:
    told = await tour.run("--log", str(tour.folder / "nowhere.txt"))
    assert told.code == 2
    assert "nowhere.txt: cannot be read: No such file" in told.err
    assert tour.left() == []
