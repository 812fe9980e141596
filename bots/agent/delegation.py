"""How the part of an agent that gives and takes work is put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.spec import AgentSpec
from bots.answering.reaching import targets_of
from bots.bus import HOOK, RESULT
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.delegating.authority import authority_of
from bots.delegating.carrying import Carrying
from bots.delegating.delivering import Delivering
from bots.delegating.desk import Bells, DelegationDesk
from bots.delegating.destinations import Destinations
from bots.delegating.router import Router
from bots.delegating.waiting import Waiting
from bots.delegating.worker import Worker
from bots.keys.holding import AgentKeys
from bots.lifeline import Message
from bots.messages import IRC


@dataclass(frozen=True)
class Delegations:
    """An agent's desk and hands, and how they hear of each other's."""

    desk: DelegationDesk
    worker: Worker
    waiting: Waiting

    def subscriptions(self, agent: str) -> dict[str, Callable[[Message], None]]:
        """What is listened for on the bus."""
        return {f"{HOOK}.{agent}": self._hooked, f"{RESULT}.{agent}": self._changed}

    def _hooked(self, _: Message) -> None:
        self.worker.nudge()

    def _changed(self, body: Message) -> None:
        self.waiting.changed(str(body.get("code", "")))
        # It may be cancelled, or have come to where this agent has to say it.
        self.worker.nudge()


def delegations(
    spec: AgentSpec,
    parts: Answering,
    *,
    keys: AgentKeys,
    publish: Callable[[str, Message], None],
    switch: KillSwitch,
    log: FilteringBoundLogger,
) -> Delegations:
    """Put the parts together; `publish` sends a body on a subject of the bus."""
    settings, thinker = spec.settings, parts.answerer.thinker
    mouth = parts.answerer.replying.mouth
    waiting = Waiting(thinker.store, time.monotonic)
    worker: list[Worker] = []

    def owed(agent: str) -> None:
        if agent == spec.name:
            worker[0].nudge()
        else:
            publish(f"{HOOK}.{agent}", {})

    def changed(agent: str, code: str) -> None:
        waiting.changed(code)
        if agent == spec.name:
            worker[0].nudge()
        else:
            publish(f"{RESULT}.{agent}", {"code": code})

    authority = authority_of(settings)
    destinations = Destinations(
        agent=spec.name,
        settings=settings,
        networks=lambda: _networks(spec),
        sits_in=lambda: targets_of(mouth.transports),
    )
    desk = DelegationDesk(
        agent=spec.name,
        captain=settings.captain,
        store=thinker.store,
        guard=parts.guard,
        authority=authority,
        router=Router(settings, thinker.store, thinker.cards, switch.told, utc_now),
        destinations=destinations,
        waiting=waiting,
        bells=Bells(owed=owed, changed=changed),
        signer=lambda: keys.signer,
        latch=switch.told,
        clean=thinker.clean,
        clock=utc_now,
    )
    worker.append(
        Worker(
            agent=spec.name,
            epoch=spec.epoch,
            desk=desk,
            carrying=Carrying(thinker, desk, destinations, next(iter(mouth.transports), IRC)),
            delivering=Delivering(mouth, spec.epoch, log),
            authority=authority,
            log=log,
            halted=lambda: latch.told if (latch := switch.latch) else "",
        )
    )
    return Delegations(desk, worker[0], waiting)


def _networks(spec: AgentSpec) -> Sequence[str]:
    """Networks that the swarm is on."""
    on_irc = [IRC] if any(IRC in a.transports for a in spec.settings.agents) else []
    return [*(["discord"] if spec.discord_agents else []), *on_irc]
