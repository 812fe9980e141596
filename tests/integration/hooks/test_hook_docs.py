"""docs/HOOKS.md says what is true."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from bots.cli.project import ROOT
from bots.hooks.asking import KNOWN, UNSUPPORTED, WAKE_KNOWN
from bots.hooks.refusal import STATUSES
from bots.settings import load
from tests.integration.hooks.stage import Stage

DOC = (ROOT / "docs" / "HOOKS.md").read_text(encoding="utf-8")
EVENTS = (ROOT / "docs" / "EVENTS.md").read_text(encoding="utf-8")
AGENTS = '[[agents]]\nname = "captain"\nrole = "captain"\n'


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    return str(found)


async def test_another_language_signs_as_the_page_shows(stage: Stage) -> None:
    signer = await stage.signer("github")
    stage.desk.quick = True
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        block("python"),
        env={
            "HOOK": stage.url,
            "KEY_ID": signer.key_id,
            "SECRET": signer.secret.get_secret_value(),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    answer = json.loads(out)
    assert (answer["status"], answer["result"]) == ("done", "done")
    [order] = stage.desk.orders
    assert (order.asked_by, order.instruction) == ("hook:github", "who mentioned the mixer?")
    assert (order.idempotency_key or "").startswith("nightly-20")


def test_the_settings_of_the_page_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "swarm.toml"
    path.write_text(f"{block('toml')}\n{AGENTS}", encoding="utf-8")
    assert load(path).hooks.is_wide


@pytest.mark.parametrize("name", sorted({*KNOWN, *WAKE_KNOWN, *UNSUPPORTED} - {"to"}))
def test_every_field_is_on_the_page(name: str) -> None:
    if name != "allowUnsafeExternalContent":
        assert re.search(rf"`{name}\b", DOC)


@pytest.mark.parametrize(("code", "status"), STATUSES.items())
def test_every_refusal_is_on_the_page(code: str, status: int) -> None:
    told = re.search(rf"^\| {status} \|.*`{code}`", DOC, re.MULTILINE)
    # Those of the routes for events are on their own page.
    assert told or f"`{code}`" in EVENTS
