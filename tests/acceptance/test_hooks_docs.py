"""What docs/HOOKS.md tells people to type works as printed, on the shipped swarm."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable

from tests.acceptance.stage import ROOT, Swarm

Make = Callable[..., Swarm]
DOC = (ROOT / "docs" / "HOOKS.md").read_text(encoding="utf-8")
[LINES] = re.findall(r"^```sh\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


async def typed(one: Swarm, lines: str) -> str:
    """Typed in a shell in the swarm's folder; `run.py` lies elsewhere here."""
    run = f"{sys.executable} {ROOT / 'run.py'} status --config {one.folder / 'swarm.toml'}"
    process = await asyncio.create_subprocess_shell(
        lines.replace("python3 run.py status", run).replace("python3 -c", f"{sys.executable} -c"),
        cwd=one.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_curl_line_works_as_printed(swarm: Make) -> None:
    one = swarm()
    text = (ROOT / "swarm.toml").read_text(encoding="utf-8")
    # Without a page: its port is somebody else's on a busy machine.
    (one.folder / "swarm.toml").write_text(f"{text}\n[console]\nenabled = false\n")
    await one.up()
    answer = json.loads(await typed(one, LINES))
    assert answer["status"] == "done", answer
    assert answer["agent"] == "secretary"
    assert "mixer" in answer["result"]
    assert answer["delivered"]["message_id"]
    token = one.folder / ".parley" / "secrets" / "hook-token"
    assert token.stat().st_mode & 0o777 == 0o600
    # The same again, and asked about afterwards.
    again = LINES.replace('"$HOOK/hooks/agent"', f'"$HOOK/tasks/{answer["id"]}"')
    read = json.loads(await typed(one, again[: again.index(" \\\n")]))
    assert read["result"] == answer["result"]
