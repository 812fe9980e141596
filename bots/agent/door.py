"""How an agent's HTTP door is put together: hooks for the world, the kill for who has its token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.spec import AgentSpec
from bots.control import wire
from bots.control.door import BadRequest, Body, words_of
from bots.control.switch import KillSwitch
from bots.hooks.door import HookDoor
from bots.hooks.making import hook_room
from bots.keys.holding import AgentKeys
from bots.secrets import Redactor
from storage.store import Store


def door(
    spec: AgentSpec,
    store: Store,
    parts: Answering,
    *,
    keys: AgentKeys,
    switch: KillSwitch,
    health: Callable[[], Body],
    redactor: Redactor,
    log: FilteringBoundLogger,
) -> HookDoor:
    """The door, still closed; `health` is what ``GET /health`` shows."""
    room = hook_room(
        spec,
        store=store,
        desk=parts.giving,
        secret_of=keys.secret_of,
        authority=parts.giving.authority,
        redactor=redactor,
        latch=switch.told,
        log=log,
    )
    return HookDoor(
        room,
        spec.settings.hooks,
        token=spec.control_token.get_secret_value(),
        health=health,
        steering={("POST", "/control/kill"): partial(_kill, spec, switch)},
    )


async def _kill(spec: AgentSpec, switch: KillSwitch, body: Body) -> Body:
    scope = words_of(body, "scope", "all")
    names = [a.name for a in spec.settings.agents]
    if scope != "all" and scope not in names:
        raise BadRequest(f"there is no agent {scope!r}")
    by = words_of(body, "by", f"the holder of {spec.name}'s token")
    return wire.to_json(await switch.kill(scope, by, "http", words_of(body, "reason", "")))
