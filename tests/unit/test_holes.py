"""Free blocks of pages in use are taken before a fork, so that children do not copy the pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: a page of every second object is let go: thousands of holes, in a process of its own
_SCRIPT = """
from bots.supervisor.holes import _free_blocks, plug_holes
kept = [bytes(200) for _ in range(20_000)]
del kept[::2]
def holes():
    return sum(free for size, free in _free_blocks() if size in (240, 256))
before = holes()
taken = plug_holes()
print(before, taken, holes())
"""


def test_the_holes_are_filled() -> None:
    words = [sys.executable, "-c", _SCRIPT]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    before, taken, after = map(int, done.stdout.split())
    assert done.stderr == ""
    assert before >= 9_000
    assert taken >= before
    assert after < 200
