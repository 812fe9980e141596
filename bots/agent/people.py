"""How the captain's part in what only people decide is put together."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.control.switch import KillSwitch
from bots.people.telling import Telling


class People:
    """`work` while the captain's process lives."""

    def __init__(self, parts: Answering, switch: KillSwitch, log: FilteringBoundLogger) -> None:
        self._telling = Telling(
            parts.giving,
            latch=lambda: switch.latch,
            changed=parts.requests.tell,
            log=log,
        )
        parts.requests.watchers.append(self._telling.nudge)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until the process ends."""
        return [self._telling.run()]
