"""How the part of the captain that drives workflows is put together. It imports templates and YAML,
so it is loaded when there is a run to drive, and not before.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.workflows.delegated import DelegatedWork
from bots.workflows.driver import Driver
from bots.workflows.gates import RequestedGates
from storage.store import Store


def driver(
    spec: AgentSpec,
    store: Store,
    parts: Answering,
    *,
    switch: KillSwitch,
    log: FilteringBoundLogger,
) -> Driver:
    """Of one process; `run` it in the captain's."""
    asking = parts.requests
    gates = RequestedGates(
        captain=asking.captain,
        channel=asking.settings.channel,
        operators=asking.operators,
        redact=asking.redact,
        clock=utc_now,
        changed=asking.tell,
    )
    return Driver(
        store,
        DelegatedWork(parts.giving, spec.settings, utc_now),
        gates,
        # Its successor is somebody else: what this process writes after it was replaced is refused.
        holder=f"{spec.name}.{spec.epoch}",
        latch=lambda: switch.latch,
        clock=utc_now,
        log=log,
    )
