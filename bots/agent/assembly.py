"""How the answering half of an agent is put together from its spec: brain, mouth, desk."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.agent.spec import AgentSpec
from bots.answering.answerer import Answerer
from bots.answering.desk import Desk
from bots.answering.loopguard import Limits, LoopGuard
from bots.answering.mouth import Mouth, Transport
from bots.answering.thinker import Cards, Thinker
from bots.commands.catalogue import catalogue
from bots.commands.registry import Registry
from bots.control.operators import Operators
from bots.control.reflex import KillReflex
from bots.control.switch import KillSwitch
from bots.irc.config import IrcConfig
from bots.roster import Roster
from brain.guard import Guard, LatchPolicy
from brain.offline.model import OfflineModel
from storage.store import Store

NETWORK = "irc"
#: our own IRC server kicks nobody for speaking fast
_SANDBOX_LINES = 50


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Answering:
    """What turns inbox rows into answers."""

    answerer: Answerer
    desk: Desk
    commands: Registry
    reflex: KillReflex


def answering(
    spec: AgentSpec,
    store: Store,
    *,
    transport: Transport,
    roster: Roster,
    switch: KillSwitch,
    ask: Callable[[dict[str, Any]], Awaitable[str]],
    own_state: Callable[[], str],
    log: FilteringBoundLogger,
) -> Answering:
    """Put the parts together; `ask` reaches the supervisor, `own_state` tells how the agent is."""
    settings = spec.settings
    guard = Guard(store, [LatchPolicy(switch.binding)], time.monotonic, utc_now)
    thinker = _thinker(spec, store, guard, roster, switch)
    answerer = Answerer(
        agent=spec.name,
        epoch=spec.epoch,
        store=store,
        thinker=thinker,
        mouth=Mouth(store, guard, transport, spec.name, utc_now, log),
        guard=LoopGuard(_loop_limits(spec)),
        roster=roster,
        latch=lambda: switch.latch,
        lines_in_channel=settings.limits.lines_in_channel,
        clock=utc_now,
        log=log,
    )
    names = [a.name for a in settings.agents]
    operators = Operators(settings.operators, settings.swarm.name, spec.operator_key, utc_now)
    reflex = KillReflex(operators, switch, store, frozenset(names), log)
    commands = catalogue(settings.irc.command_prefix)
    desk = Desk(
        settings=settings,
        commands=commands,
        answerer=answerer,
        thinker=thinker,
        operators=operators,
        roster=roster,
        ask=ask,
        own_state=own_state,
        log=log,
    )
    return Answering(answerer, desk, commands, reflex)


def irc_config(spec: AgentSpec) -> IrcConfig:
    """What the IRC transport needs to know, from the spec."""
    agent, irc = spec.agent, spec.settings.irc
    return IrcConfig(
        agent=agent.name,
        network=NETWORK,
        host=spec.irc_host,
        port=spec.irc_port,
        tls=irc.tls,
        tls_authority=Path(irc.tls_authority) if irc.tls_authority else None,
        nick=agent.nick,
        channels=spec.settings.channels_of(agent),
        server_password=_plain(spec.irc_server_password),
        account=agent.irc.account,
        account_password=_plain(spec.irc_account_password),
        certificate=Path(agent.irc.certificate) if agent.irc.certificate else None,
        services_nick=irc.services_nick,
        burst=irc.burst if irc.host else _SANDBOX_LINES,
        lines_per_s=irc.lines_per_s if irc.host else _SANDBOX_LINES,
    )


def _thinker(
    spec: AgentSpec, store: Store, guard: Guard, roster: Roster, switch: KillSwitch
) -> Thinker:
    cards = Cards(spec.settings, spec.prompts_folder, roster)
    soul = cards.soul_of(spec.name)
    return Thinker(
        agent=spec.name,
        settings=spec.settings,
        store=store,
        guard=guard,
        model=OfflineModel(soul, [spec.name, spec.agent.nick], utc_now),
        soul=soul,
        cards=cards,
        latch=switch.told,
        clock=utc_now,
    )


def _loop_limits(spec: AgentSpec) -> Limits:
    limits = spec.settings.limits
    return Limits(
        max_hops=limits.max_hops,
        pair_answers=limits.pair_answers,
        pair_window_s=limits.pair_window_s,
        day_answers=limits.day_answers,
        channel_answers=limits.channel_answers,
        channel_window_s=limits.channel_window_s,
        similarity=limits.similarity,
    )


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
