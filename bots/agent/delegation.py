"""How the part of an agent that gives and takes work is put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from bots.agent.spec import AgentSpec
from bots.answering.mouth import Mouth
from bots.answering.reaching import targets_of
from bots.answering.thinker import Thinker
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.delegating.authority import authority_of
from bots.delegating.bells import Bells
from bots.delegating.carrying import Carrying
from bots.delegating.delivering import Delivering
from bots.delegating.desk import DelegationDesk
from bots.delegating.destinations import Destinations
from bots.delegating.rerouting import Rerouting
from bots.delegating.router import Router
from bots.delegating.waiting import Waiting
from bots.delegating.worker import Worker
from bots.keys.signer import Signer
from bots.lifeline import Message
from bots.messages import DISCORD, IRC
from bots.minutes.writing import InWords, Writing
from bots.people.desk import CaptainsDesk
from bots.transport import Transport
from brain.guard import Guard
from brain.tools.context import AgentCard
from storage.store import Store


def delegation_desk(
    spec: AgentSpec,
    *,
    store: Store,
    guard: Guard,
    cards: Callable[[], Sequence[AgentCard]],
    transports: Mapping[str, Transport],
    switch: KillSwitch,
    signer: Callable[[], Signer],
    publish: Callable[[str, Message], None],
    clean: Callable[[str], str],
) -> DelegationDesk:
    """What gives work; `signer` is as in `DelegationDesk`, `publish` as in `Bells`."""
    waiting = Waiting(store, time.monotonic)
    return DelegationDesk(
        agent=spec.name,
        captain=spec.settings.captain,
        store=store,
        guard=guard,
        authority=authority_of(spec.settings),
        router=Router(spec.settings, store, cards, switch.told_of, utc_now),
        destinations=Destinations(
            agent=spec.name,
            settings=spec.settings,
            networks=lambda: _networks(spec),
            agents_on=lambda network: _agents_on(spec, network),
            sits_in=lambda: targets_of(transports),
        ),
        waiting=waiting,
        bells=Bells(spec.name, waiting, publish),
        signer=signer,
        latch=switch.told,
        clean=clean,
        clock=utc_now,
    )


def hands(
    spec: AgentSpec,
    desk: DelegationDesk,
    *,
    people: CaptainsDesk,
    thinker: Thinker,
    mouth: Mouth,
    switch: KillSwitch,
    in_words: InWords | None,
    log: FilteringBoundLogger,
) -> Worker:
    """What takes up work; the bells wake it. `in_words` is as in `Writing`."""
    home = next(iter(mouth.transports), IRC)
    made = Worker(
        agent=spec.name,
        epoch=spec.epoch,
        desk=desk,
        carrying=Carrying(thinker, desk, home, people.take, Writing(thinker, in_words).write),
        delivering=Delivering(mouth, spec.epoch, log),
        rerouting=Rerouting(desk, log),
        log=log,
        halted=lambda: latch.told if (latch := switch.latch) else "",
    )
    desk.bells.wake = made.nudge
    return made


def _networks(spec: AgentSpec) -> Sequence[str]:
    """Networks that the swarm is on."""
    return [network for network in (DISCORD, IRC) if _agents_on(spec, network)]


def _agents_on(spec: AgentSpec, network: str) -> Sequence[str]:
    """Agents with an account on this network, in the order of swarm.toml."""
    agents = spec.settings.agents
    if network == DISCORD:
        bots = set(spec.discord_agents.values())
        return [agent.name for agent in agents if agent.name in bots]
    return [agent.name for agent in agents if network in agent.transports]
