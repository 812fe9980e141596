"""What docs/DELEGATION.md tells people to type works as printed, on the shipped swarm."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.stage import ROOT, Done, Swarm

Make = Callable[..., Swarm]
DOC = (ROOT / "docs" / "DELEGATION.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


async def typed(one: Swarm, line: str) -> Done:
    """A line of the page, typed in the project's folder for this swarm."""
    words = line.replace("python3 run.py", f"{sys.executable} {ROOT / 'run.py'}").strip()
    process = await asyncio.create_subprocess_shell(
        f"{words} --config {one.folder / 'swarm.toml'}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_every_line_of_the_page_works_as_printed(swarm: Make) -> None:
    one = swarm()
    shutil.copy(ROOT / "swarm.toml", one.folder / "swarm.toml")
    _quiet(one.folder / "swarm.toml")
    await one.up()
    asked, posted, piped, listed = [await typed(one, example) for example in EXAMPLES]
    assert asked.code == 0, asked.err
    assert "mixer" in asked.out
    assert posted.code == 0, posted.err + posted.out
    assert "(said in " in posted.out
    assert json.loads(piped.out)["status"] == "done"
    assert listed.out.count("D-") == 3
    code = json.loads(piped.out)["id"]
    tree = await one.run("delegations", code)
    assert tree.out.startswith(f"{code} auditor done")
    unknown = await one.run("delegations", "D-nothing")
    assert unknown.code == 2


def _quiet(config: Path) -> None:
    """Without a page: its port is somebody else's on a busy machine."""
    config.write_text(f"{config.read_text()}\n[console]\nenabled = false\n")
