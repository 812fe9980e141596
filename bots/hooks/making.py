"""Puts one agent's HTTP room together."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.hooks.callers import Callers
from bots.hooks.event_room import EventRoom
from bots.hooks.proof import Proofs
from bots.hooks.receiving import Desk
from bots.hooks.refusals import Refusals
from bots.hooks.room import HookRoom
from bots.secrets import Redactor
from brain.delegation.authority import Authority
from storage.latch import Latch
from storage.store import Store


def hook_room(
    spec: AgentSpec,
    *,
    store: Store,
    desk: Desk,
    secret_of: Callable[[str], SecretStr | None],
    authority: Authority,
    redactor: Redactor,
    latch: Callable[[str], Latch | None],
    log: FilteringBoundLogger,
) -> HookRoom:
    """What comes by HTTP for the agent of `spec` goes to `desk`; `secret_of` gives the secret of
    a key id, as `bots.keys.holding.AgentKeys` does, `latch` the kill that holds an agent.
    """
    callers = Callers(
        agent=spec.name,
        settings=spec.settings,
        authority=authority,
        token=spec.hook_token,
        store=store,
        proofs=Proofs(secret_of, utc_now),
        monotonic=time.monotonic,
    )
    events = EventRoom(
        agent=spec.name,
        agents=tuple(a.name for a in spec.settings.agents),
        body_bytes=spec.settings.hooks.body_bytes,
        store=store,
        callers=callers,
        latch=latch,
        clean=redactor.redact,
        clock=utc_now,
    )
    return HookRoom(
        agent=spec.name,
        settings=spec.settings,
        desk=desk,
        callers=callers,
        events=events,
        refusals=Refusals(spec.name, store, redactor.redact, utc_now, log),
        monotonic=time.monotonic,
        log=log,
    )
