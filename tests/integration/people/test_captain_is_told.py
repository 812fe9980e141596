"""What is asked, decided or begun at another agent's wakes the captain's process at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.agent.assembly import Answering
from bots.agent.captaincy import Captaincy
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from storage.latch import LatchFile
from storage.store import Store
from tests.integration.delegating.office import Office, office


async def nobody(_: dict[str, Any]) -> str:
    return ""


def captaincy(crew: Office) -> Captaincy:
    captain, log = crew["captain"], structlog.get_logger()
    switch = KillSwitch(
        "captain", LatchFile(crew.state.latch), clock=utc_now, tell=lambda _: None, log=log
    )
    return Captaincy(captain.spec, crew.store, captain.parts, switch=switch, ask=nobody, log=log)


@pytest.mark.parametrize(
    "of", [lambda parts: parts.requests, lambda parts: parts.desk.beginnings], ids=["asked", "run"]
)
async def test_the_captain_hears_at_once_what_happens_at_another_agent(
    store: Store, tmp_path: Path, of: Callable[[Answering], Any]
) -> None:
    async with office(store, tmp_path, hire=("captain", "buyer")) as crew:
        crew.listens = captaincy(crew).subscriptions()
        heard: list[str] = []
        of(crew["captain"].parts).watchers.append(lambda: heard.append("captain"))
        of(crew["buyer"].parts).tell()
        assert heard == ["captain"]
        of(crew["captain"].parts).tell()
        assert heard == ["captain", "captain"], "it does not tell itself by bus"
        assert crew.forbidden == []
