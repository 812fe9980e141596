"""What the captain's process does besides: posts, calls for minutes, telling of events, what
follows from questions to operators, and the driving of workflows.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.people import People
from bots.agent.spec import AgentSpec
from bots.bus import EVENT
from bots.clock import utc_now
from bots.control.consequences import Consequences, decided, restart
from bots.control.switch import KillSwitch
from bots.events.dispatcher import Dispatcher
from bots.herald.herald import Herald
from bots.lifeline import Message
from bots.minutes.calling import Calling
from bots.secrets import Redactor
from bots.workflows.conducting import Conductor
from storage.request import CASES, RequestKind
from storage.store import Store


class Captaincy:
    """`work` while the process lives; only the captain's makes one."""

    def __init__(
        self,
        spec: AgentSpec,
        store: Store,
        parts: Answering,
        *,
        switch: KillSwitch,
        ask: Callable[[dict[str, Any]], Awaitable[str]],
        log: FilteringBoundLogger,
    ) -> None:
        """`ask` reaches the supervisor."""
        self._herald = Herald(
            store,
            parts.answerer.replying.mouth,
            spec.epoch,
            spec.settings,
            latch=lambda: switch.latch,
            redact=Redactor(spec.secrets()).redact,
            clock=utc_now,
            log=log,
        )
        self._minutes = Calling(
            parts.giving, spec.settings, latch=lambda: switch.latch, clock=utc_now, log=log
        )
        self._dispatcher = Dispatcher(
            parts.answerer.replying.mouth,
            spec.epoch,
            hops=spec.settings.limits.max_hops,
            latch=lambda: switch.latch,
            redact=Redactor(spec.secrets()).redact,
            clock=utc_now,
            monotonic=time.monotonic,
            log=log,
        )
        self._consequences = Consequences(
            store,
            spec.name,
            {"restart": restart(spec.name, ask), **dict.fromkeys(CASES, decided())},
            others=(RequestKind.GATE,),
            latch=lambda: switch.latch,
            changed=parts.requests.tell,
            clock=utc_now,
            log=log,
        )
        parts.requests.watchers.append(self._consequences.nudge)
        self._people = People(spec, parts, switch, log)

        def driver() -> Any:
            # Templates and YAML are loaded by who has a run to drive.
            made = import_module("bots.agent.driving").driver
            return made(
                spec,
                store,
                parts,
                switch=switch,
                log=log,
            )

        self._conductor = Conductor(store, driver, log)
        self._requests, self._beginnings = parts.requests, parts.desk.beginnings
        parts.requests.watchers.append(self._conductor.nudge)
        parts.desk.beginnings.watchers.append(self._conductor.nudge)
        parts.giving.waiting.watchers.append(self._conductor.nudge)

    def subscriptions(self) -> dict[str, Callable[[Message], None]]:
        """What is listened for on the bus."""
        return {
            f"{EVENT}.*.delegation": lambda _: self._dispatcher.nudge(),
            f"{EVENT}.*.request": lambda _: self._requests.tell(),
            f"{EVENT}.*.workflow": lambda _: self._beginnings.tell(),
        }

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until the process ends."""
        return [
            self._herald.run(),
            self._minutes.run(),
            self._dispatcher.run(),
            self._consequences.run(),
            *self._people.work(),
            self._conductor.run(),
        ]
