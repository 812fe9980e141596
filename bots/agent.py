"""One agent process: everything it consists of is put together here, after the fork.

`run` is called by the fork server and ends the process with its return value.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from bots import health, logs
from bots.answering import Answerer
from bots.beats import beat_for_ever
from bots.bus import CONFIRM, KILL, NUDGE, Bus
from bots.commands.catalogue import catalogue
from bots.control import wire
from bots.control.door import BadRequest, Body, Door, words_of
from bots.control.operators import Operators
from bots.control.reflex import KillReflex
from bots.control.switch import KillSwitch
from bots.desk import Desk
from bots.insist import insist
from bots.intake import Intake, Reflexes
from bots.irc.transport import IrcConfig, IrcTransport
from bots.journal import Journal
from bots.lifeline import Message
from bots.listening import Ears
from bots.loopguard import Limits, LoopGuard
from bots.messages import Heard, TransportHealth
from bots.replying import Mouth, recover
from bots.roster import Roster
from bots.secrets import Redactor
from bots.spec import AgentSpec
from bots.state import StateFolder
from bots.supervision import Supervision
from bots.thinking import Cards, Thinker, offline_model
from bots.worklist import Worklist
from brain.guard import Guard, LatchPolicy
from storage import agents, audit
from storage.errors import StorageError
from storage.latch import Latch, LatchFile
from storage.store import Store, make_engine
from storage.tables import AgentState

NETWORK = "irc"
_RECOVER_EVERY_S = 2.0
#: our own IRC server kicks nobody for speaking fast
_SANDBOX_LINES = 50
_FAREWELL = "until later"


def run(spec: dict[str, Any], lifeline_fd: int) -> int:
    """Live as this spec's agent until the lifeline or a signal ends it; returns the exit code."""
    return asyncio.run(_live(AgentSpec.model_validate(spec), socket.socket(fileno=lifeline_fd)))


async def _live(spec: AgentSpec, lifeline: socket.socket) -> int:
    state = StateFolder(spec.state_folder)
    limits = spec.settings.limits
    logs.configure(
        state.log_of(spec.name),
        bytes=limits.log_bytes,
        files=limits.log_files,
        redactor=Redactor(spec.secrets()),
    )
    # Not connected here: an agent must come up, and be killable, while the database is away.
    store = Store(make_engine(spec.database_url, pool_size=1))
    try:
        return await AgentProcess(spec, state, store).live(lifeline)
    finally:
        await store.close()


def _now() -> datetime:
    return datetime.now(UTC)


class AgentProcess:
    """The composition root: parts, and the wires between them."""

    def __init__(self, spec: AgentSpec, state: StateFolder, store: Store) -> None:
        settings, name = spec.settings, spec.name
        self._spec = spec
        self._store = store
        self._log = log = structlog.get_logger().bind(agent=name)
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._was_ready = False
        self._broken = False
        self._roster = Roster(settings)
        self._bus = Bus(spec.nats_url, name, spec.nats_password.get_secret_value(), log=log)
        self._supervision = Supervision(
            state=self._state,
            on_kill=self._killed_by_pipe,
            on_resume=self._resumed,
            on_nicks=self._roster.refresh,
            on_stop=self._stopping.set,
        )
        self._switch = KillSwitch(
            name,
            LatchFile(state.latch),
            clock=_now,
            tell=self._spread_kill,
            on_killed=self._killed,
            log=log,
        )
        self._operators = Operators(
            settings.operators, settings.swarm.name, spec.operator_key, _now
        )
        guard = Guard(store, [LatchPolicy(self._switch.binding)], time.monotonic, _now)
        self._transport = IrcTransport(
            _irc_config(spec),
            on_heard=self._heard,
            on_change=self._transport_changed,
            before_join=lambda channel: self._ears.enter(NETWORK, channel),
            rng=random.Random(),
            log=log,
        )
        cards = Cards(settings, spec.prompts_folder, self._roster)
        thinker = Thinker(
            agent=name,
            settings=settings,
            store=store,
            guard=guard,
            model=offline_model(cards.souls[name], [name, spec.agent.nick], _now),
            soul=cards.souls[name],
            cards=cards,
            latch=self._switch.told,
            clock=_now,
        )
        answerer = Answerer(
            agent=name,
            epoch=spec.epoch,
            store=store,
            thinker=thinker,
            mouth=Mouth(store, guard, self._transport, name, _now, log),
            guard=LoopGuard(_loop_limits(spec)),
            roster=self._roster,
            latch=lambda: self._switch.latch,
            lines_in_channel=settings.limits.lines_in_channel,
            clock=_now,
            log=log,
        )
        commands = catalogue([a.name for a in settings.agents], settings.irc.command_prefix)
        reflex = KillReflex(
            self._operators, self._switch, store, frozenset(a.name for a in settings.agents), log
        )
        desk = Desk(
            settings=settings,
            commands=commands,
            answerer=answerer,
            thinker=thinker,
            operators=self._operators,
            roster=self._roster,
            ask=self._supervision.ask,
            first_use=reflex.first_use,
            own_state=self._own_state,
            log=log,
        )
        self._worklist = Worklist(
            store,
            name,
            spec.epoch,
            clock=_now,
            turn=answerer.turn,
            command=desk.command,
            may_speak=lambda: self._transport.health.connected,
            coalesce_s=settings.limits.coalesce_s,
            log=log,
        )
        self._ears = Ears(
            store,
            name,
            clock=_now,
            journal=Journal(state.journal_of(name)),
            on_owed=self._owed,
            log=log,
        )
        self._intake = Intake(
            name,
            settings,
            self._roster,
            commands,
            ears=self._ears,
            reflexes=Reflexes(
                stop=lambda session, who: self._worklist.stop_session(session, f"{who} said stop"),
                kill=lambda heard, spoken: self._start(reflex(heard, spoken)),
            ),
        )
        self._door = Door(
            spec.control_token.get_secret_value(),
            health=self._state,
            steering={("POST", "/control/kill"): self._kill_by_http},
        )

    async def live(self, lifeline: socket.socket) -> int:
        """Everything runs side by side until it is time to stop; returns the exit code."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopping.set)
        await self._supervision.open(lifeline)
        await self._door.open(self._spec.agent.hook_port)
        for work in (
            self._bus.run({f"{NUDGE}.{self._spec.name}": self._nudged, KILL: self._bus_kill}),
            self._transport.run(),
            self._ears.run(),
            self._worklist.run(),
            self._switch.watch(),
            self._recover(),
            beat_for_ever(self._store, self._spec.name, clock=_now, log=self._log),
        ):
            self._start(work)
        await self._stopping.wait()
        await self._shut_down()
        return int(self._broken)

    async def _shut_down(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._transport.stop(_FAREWELL)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._door.close()

    def _state(self) -> Message:
        state, reason = health.state_of(
            health.Parts(
                latch=self._switch.latch,
                transport=self._transport.health,
                wanted_nick=self._spec.agent.nick,
                wanted_channels=[
                    self._transport.fold(c)
                    for c in self._spec.settings.channels_of(self._spec.agent)
                ],
                was_ready=self._was_ready,
                bus_connected=self._bus.connected,
                store_trouble=self._ears.trouble,
            )
        )
        self._was_ready = self._was_ready or state is AgentState.READY
        return {
            "state": state.value,
            "reason": reason,
            "nick": self._transport.health.nick,
            "hook_url": self._door.url,
        }

    def _own_state(self) -> str:
        state = self._state()
        work = f"working on {self._worklist.busy}" if self._worklist.busy else "idle"
        return f"{state['state']}, {work}" + (f" ({state['reason']})" if state["reason"] else "")

    def _transport_changed(self, changed: TransportHealth) -> None:
        self._supervision.tell()
        for channel in changed.channels:
            self._start(self._volunteer(channel))
        if changed.connected:
            self._worklist.nudge()

    async def _volunteer(self, channel: str) -> None:
        try:
            await self._ears.volunteer(NETWORK, channel)
        except StorageError as error:
            self._log.warning("lease.unreachable", channel=channel, error=str(error))

    def _owed(self, agents_owing: Iterable[str]) -> None:
        for agent in agents_owing:
            if agent == self._spec.name:
                self._worklist.nudge()
            else:
                self._bus.nudge(agent)

    def _heard(self, heard: Heard) -> None:
        self._intake.heard(heard)

    def _killed_by_pipe(self, latch: Latch) -> None:
        self._switch.apply(latch)

    def _nudged(self, body: Message) -> None:
        self._worklist.nudge()

    def _spread_kill(self, latch: Latch) -> None:
        self._supervision.pass_on_kill(latch)
        self._bus.publish(KILL, wire.to_json(latch))

    def _bus_kill(self, body: Message) -> None:
        try:
            self._switch.apply(wire.from_json(body))
        except (KeyError, ValueError):
            self._log.warning("kill.malformed")

    def _killed(self, latch: Latch) -> None:
        """Stop all work, say so at once, and write it down when the store takes it."""
        self._worklist.stop_all(health.told(latch))
        self._supervision.confirm(latch)
        self._supervision.tell()
        self._bus.publish(f"{CONFIRM}.{self._spec.name}", wire.to_json(latch))
        self._start(self._audit("killed", latch))

    def _resumed(self) -> None:
        before = self._switch.latch
        self._switch.release()
        if before is not None and self._switch.latch is None:
            self._supervision.tell()
            self._start(self._audit("resumed", before))
            self._worklist.nudge()

    async def _audit(self, verb: str, latch: Latch) -> None:
        await insist(
            self._store,
            lambda unit: audit.append(
                unit,
                agent=self._spec.name,
                at=_now(),
                verb=verb,
                target=latch.scope,
                outcome="done",
                reason=latch.reason or f"by {latch.by}",
                details={"by": latch.by, "door": latch.door},
                trace_id="",
            ),
            self._log,
            durable=True,
        )

    async def _kill_by_http(self, body: Body) -> Body:
        scope = words_of(body, "scope", "all")
        names = [a.name for a in self._spec.settings.agents]
        if scope != "all" and scope not in names:
            raise BadRequest(f"there is no agent {scope!r}")
        by = words_of(body, "by", f"the holder of {self._spec.name}'s token")
        latch = await self._switch.kill(scope, by, "http", words_of(body, "reason", ""))
        return wire.to_json(latch)

    async def _recover(self) -> None:
        """Learn who is called what, and settle what predecessors left, looking again while proof
        may come.
        """
        while True:
            try:
                async with self._store.reading() as unit:
                    rows = await agents.roster(unit)
                self._roster.refresh({r.name: r.irc_nick for r in rows})
                if not await recover(
                    self._store, self._spec.name, self._spec.epoch, _now(), self._log
                ):
                    self._worklist.nudge()
                    return
            except StorageError as error:
                self._log.warning("recovery.waits", error=str(error))
            self._worklist.nudge()
            await asyncio.sleep(_RECOVER_EVERY_S)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Half an agent is worse than none: end, be born again, and let the backoff count it.
            self._log.error("agent.broken", exc_info=task.exception())
            self._broken = True
            self._stopping.set()


def _irc_config(spec: AgentSpec) -> IrcConfig:
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


def _plain(secret: Any) -> str | None:
    return secret.get_secret_value() if secret else None


def _loop_limits(spec: AgentSpec) -> Limits:
    limits = spec.settings.limits
    return Limits(
        max_hops=limits.max_hops,
        pair_answers=limits.pair_answers,
        pair_window_s=limits.pair_window_s,
        channel_answers=limits.channel_answers,
        channel_window_s=limits.channel_window_s,
        similarity=limits.similarity,
    )
