"""One agent's mind out of its spec: the brain without a model, or what `bots.agent.language` makes
of the models that it thinks with, which is imported by those agents only.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from bots.agent.brains import models_of
from bots.agent.spec import AgentSpec
from bots.answering.cards import Cards
from bots.answering.looking import Looks
from bots.answering.opening import Openings, PlainOpenings
from bots.clock import utc_now
from bots.minutes.writing import InWords
from bots.roster import Roster
from bots.secrets import Redactor
from brain.acting import Fence, unfenced
from brain.compaction import Compactor
from brain.guard import Guard
from brain.model import Model
from brain.offline.model import OfflineModel
from brain.tools.catalogue import of_groups
from brain.tools.registry import AnyTool
from storage.store import Store

#: asks the supervisor for something and gives its answer
Ask = Callable[[dict[str, Any]], Awaitable[str]]
LANGUAGE: Final = "bots.agent.language"


@dataclass(frozen=True, kw_only=True)
class Mind:
    model: Model
    openings: Openings
    compactor: Compactor
    fence: Fence
    #: what it can call at this moment
    tools: Callable[[], Awaitable[Sequence[AnyTool]]]
    #: as a process begins: starts what it needs, settles what dead processes of this agent left
    #: behind; raises `StorageError`
    recover: Callable[[], Awaitable[object]]
    #: ends programs that run for it, at once
    hush: Callable[[], None]
    close: Callable[[], Awaitable[None]]
    #: which model answers at present and why not the one before it, in words
    state: Callable[[], str]
    #: the same while it is news that the first one does not, and which MCP servers or tools cannot
    #: be used; empty when all is well
    trouble: Callable[[], str]
    #: writes minutes in its own words; None: it makes a list
    minutes: InWords | None
    #: how it looks around by itself; None: it does not
    looks: Looks | None


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a mind stands on."""

    spec: AgentSpec
    store: Store
    guard: Guard
    roster: Roster
    cards: Cards
    #: everybody on a network may read this channel
    is_open: Callable[[str, str], bool]
    ask: Ask
    #: hides secrets in what is logged, prompted and remembered
    redactor: Redactor
    log: FilteringBoundLogger


def mind_of(body: Body) -> Mind:
    """Raises `SoulMissing`."""
    if models_of(body.spec):
        made: Mind = importlib.import_module(LANGUAGE).mind_of(body)
        return made
    spec = body.spec
    soul = body.cards.soul_of(spec.name)
    return Mind(
        model=offline(body),
        openings=PlainOpenings(spec.name, body.store, soul),
        compactor=Compactor(spec.name, body.store, None, body.redactor.redact, utc_now),
        fence=unfenced,
        tools=partial(_ours, of_groups(spec.agent.tools)),
        recover=_nothing,
        hush=lambda: None,
        close=_nothing,
        state=lambda: "offline brain: no model is called",
        trouble=str,
        minutes=None,
        looks=None,
    )


def offline(body: Body) -> OfflineModel:
    """The brain without a model, as this agent."""
    spec = body.spec
    return OfflineModel(body.cards.soul_of(spec.name), [spec.name, spec.agent.nick], utc_now)


async def _ours(tools: Sequence[AnyTool]) -> Sequence[AnyTool]:
    return tools


async def _nothing() -> None:
    return None
