"""How the answering half of an agent is put together from its spec: brain, mouth, desk."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.agent.delegation import delegation_desk
from bots.agent.mind import Body, Mind, mind_of
from bots.agent.spec import AgentSpec
from bots.answering.answerer import Answerer
from bots.answering.cards import Cards
from bots.answering.courtesy import Courtesy
from bots.answering.desk import Desk
from bots.answering.looking import Looking
from bots.answering.loopguard import Limits, LoopGuard
from bots.answering.mouth import Mouth
from bots.answering.placing import Placing
from bots.answering.reaching import Reaching
from bots.answering.recovery import Recovery
from bots.answering.replying import Replying
from bots.answering.thinker import Thinker
from bots.bus import EVENT
from bots.clock import utc_now
from bots.commands.catalogue import catalogue
from bots.commands.registry import Registry
from bots.control.operators import Operators
from bots.control.reflex import KillReflex
from bots.control.requests import Requests
from bots.control.switch import KillSwitch
from bots.delegating.authority import authority_of
from bots.delegating.desk import DelegationDesk
from bots.delegating.turn import TurnHanding
from bots.keys.signer import Signer
from bots.lifeline import Message
from bots.people.desk import CaptainsDesk
from bots.people.notifying import Notifier
from bots.people.turn import TurnPeople
from bots.project.desk import ProjectDesk
from bots.project.turn import TurnProject
from bots.roster import Roster
from bots.secrets import Redactor
from bots.swarm_settings import OperatorSettings
from bots.talking.turn import TurnTalking, talk_limits
from bots.transport import Transport, everybody_reads
from bots.workflows.beginning import Beginnings
from brain.delegation.policy import AuthorityPolicy
from brain.guard import Guard, LatchPolicy, Policy
from brain.people import PeoplePolicy
from brain.project import ProjectPolicy
from storage.requests import Approvers
from storage.store import Store


@dataclass(frozen=True)
class Answering:
    """What turns inbox rows into answers."""

    answerer: Answerer
    #: gives work to agents
    giving: DelegationDesk
    #: puts cases before people
    people: CaptainsDesk
    #: ways to tell people besides, as far as networks have them
    notifiers: dict[str, Notifier]
    recovery: Recovery
    desk: Desk
    requests: Requests
    commands: Registry
    reflex: KillReflex
    guard: Guard
    operators: Operators
    mind: Mind
    #: turns that nobody asks for; None where the agent takes none
    looking: Looking | None


@dataclass(frozen=True, kw_only=True)
class Wires:
    """How the answering half reaches the rest of its process."""

    #: the supervisor: a wish → what came of it
    ask: Callable[[dict[str, Any]], Awaitable[str]]
    #: how the agent is, in one line
    own_state: Callable[[], str]
    #: ends its work in a session: session, who said so; true when there was any
    end_work: Callable[[str, str], bool]
    #: tells an agent that its inbox has something
    nudge: Callable[[str], object]
    #: the key to sign the next row with; raises `NoKey`
    signer: Callable[[], Signer]
    #: sends a body on a subject of the bus
    publish: Callable[[str, Message], None]


def answering(
    spec: AgentSpec,
    store: Store,
    *,
    transports: Mapping[str, Transport],
    roster: Roster,
    switch: KillSwitch,
    wires: Wires,
    redactor: Redactor,
    log: FilteringBoundLogger,
) -> Answering:
    """Put the parts together; `redactor` hides secrets in the process's log too."""
    settings = spec.settings
    policies: list[Policy] = [
        LatchPolicy(switch.binding),
        AuthorityPolicy(authority_of(settings)),
        PeoplePolicy(settings.captain),
        ProjectPolicy(settings.captain),
    ]
    guard = Guard(store, policies, time.monotonic, utc_now)
    recovery = Recovery(store, guard, transports, spec.name, spec.epoch, clock=utc_now, log=log)
    mouth = Mouth(
        store, guard, transports, spec.name, utc_now, log, may_begin=lambda: recovery.knows
    )
    body = Body(
        spec=spec,
        store=store,
        guard=guard,
        roster=roster,
        cards=Cards(settings, spec.prompts_folder, roster),
        is_open=partial(everybody_reads, transports),
        ask=wires.ask,
        redactor=redactor,
        log=log,
    )
    mind = mind_of(body)
    giving = delegation_desk(
        spec,
        store=store,
        guard=guard,
        cards=body.cards,
        transports=transports,
        switch=switch,
        signer=wires.signer,
        publish=wires.publish,
        clean=redactor.redact,
    )
    requests = _requests(spec, store, redactor)
    beginnings = Beginnings(settings, spec.prompts_folder / "workflows", store, utc_now)
    if spec.name != settings.captain:
        # What follows from both is the captain's business.
        event = f"{EVENT}.{spec.name}"
        requests.watchers.append(partial(wires.publish, f"{event}.request", {}))
        beginnings.watchers.append(partial(wires.publish, f"{event}.workflow", {}))
    people = CaptainsDesk(agent=spec.name, requests=requests, guard=guard)
    project = ProjectDesk(
        agent=spec.name, store=store, guard=guard, clean=redactor.redact, clock=utc_now
    )
    answerer = _answerer(body, mind, mouth, switch, giving=giving, people=people, project=project)
    operators = Operators(settings.operators, settings.swarm.name, spec.operator_key, utc_now)
    agents = frozenset(a.name for a in settings.agents)
    desk = Desk(
        settings=settings,
        commands=catalogue(settings.irc.command_prefix),
        answerer=answerer,
        thinker=answerer.thinker,
        operators=operators,
        roster=roster,
        giving=giving,
        beginnings=beginnings,
        ask=wires.ask,
        requests=requests,
        project=project,
        own_state=wires.own_state,
        mind_state=mind.state,
        end_work=wires.end_work,
        nudge=wires.nudge,
        log=log,
    )
    return Answering(
        answerer=answerer,
        giving=giving,
        people=people,
        notifiers={},
        recovery=recovery,
        desk=desk,
        requests=requests,
        commands=desk.commands,
        reflex=KillReflex(operators, switch, store, agents, log),
        guard=guard,
        operators=operators,
        mind=mind,
        looking=_looking(mind, answerer.thinker, transports, switch, log),
    )


def _answerer(
    body: Body,
    mind: Mind,
    mouth: Mouth,
    switch: KillSwitch,
    *,
    giving: DelegationDesk,
    people: CaptainsDesk,
    project: ProjectDesk,
) -> Answerer:
    spec, settings = body.spec, body.spec.settings
    return Answerer(
        agent=spec.name,
        epoch=spec.epoch,
        store=body.store,
        thinker=_thinker(body, mind, mouth, switch, giving=giving, people=people, project=project),
        replying=Replying(
            epoch=spec.epoch,
            mouth=mouth,
            placing=Placing(spec.name, body.guard, mouth.transports, settings.discord.threads),
            roster=body.roster,
            lines_in_channel=settings.limits.lines_in_channel,
        ),
        courtesy=Courtesy(spec.name, body.guard, mouth.transports, settings.discord.acknowledge),
        guard=LoopGuard(_loop_limits(spec)),
        roster=body.roster,
        latch=lambda: switch.latch,
        clock=utc_now,
        log=body.log,
    )


def _looking(
    mind: Mind,
    thinker: Thinker,
    transports: Mapping[str, Transport],
    switch: KillSwitch,
    log: FilteringBoundLogger,
) -> Looking | None:
    if mind.looks is None:
        return None
    return Looking(
        thinker,
        mind.looks,
        transports,
        latch=lambda: switch.latch,
        rng=random.Random(),
        log=log,
    )


def _requests(spec: AgentSpec, store: Store, redactor: Redactor) -> Requests:
    settings = spec.settings
    # The cards are on Discord: where nobody is, nobody can be asked.
    named = settings.operators if spec.discord_agents else OperatorSettings()
    return Requests(
        store=store,
        captain=settings.captain,
        settings=settings.approvals,
        operators=Approvers(named.discord_users, named.discord_roles, named.irc_accounts),
        redact=redactor.redact,
        clock=utc_now,
    )


def _thinker(
    body: Body,
    mind: Mind,
    mouth: Mouth,
    switch: KillSwitch,
    *,
    giving: DelegationDesk,
    people: CaptainsDesk,
    project: ProjectDesk,
) -> Thinker:
    spec = body.spec
    return Thinker(
        agent=spec.name,
        settings=spec.settings,
        store=body.store,
        guard=body.guard,
        model=mind.model,
        openings=mind.openings,
        compactor=mind.compactor,
        fence=mind.fence,
        clean=body.redactor.redact,
        tools=mind.tools,
        handing=partial(TurnHanding, giving),
        people=partial(TurnPeople, giving, people, time.monotonic),
        has_people=people.requests.operators != Approvers(),
        project=partial(TurnProject, project),
        talking=partial(TurnTalking, giving, talk_limits(spec.settings)),
        reach=lambda why, trace_id: Reaching(mouth, spec.epoch, why, trace_id),
        cards=body.cards,
        latch=switch.told,
        clock=utc_now,
        is_open=body.is_open,
    )


def _loop_limits(spec: AgentSpec) -> Limits:
    wanted = {one.name for one in fields(Limits)}
    return Limits(**spec.settings.limits.model_dump(include=wanted))
