"""What has to be known before a run begins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bots.settings import load
from bots.workflows.preparing import prepared

ROOT = Path(__file__).parents[3]
FILE = "name: good\nsteps:\n  - {id: look, agent: secretary, do: look}\n"


def test_the_text_that_was_checked_is_the_one_that_is_run(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(FILE)
    opened: list[str] = []
    is_over = False

    def watch(event: str, what: tuple[Any, ...]) -> None:
        # Who is added stays as long as the process.
        if event == "open" and not is_over and str(what[0]).startswith(str(tmp_path)):
            opened.append(Path(what[0]).name)

    sys.addaudithook(watch)
    new = prepared(
        load(ROOT / "swarm.toml"),
        tmp_path,
        "good",
        {},
        started_by="alice",
        idempotency_key=None,
        board="",
        trace_id="t",
    )
    is_over = True
    assert new.source == FILE
    # Read a second time it may be another text.
    assert opened == ["good.yaml"]
