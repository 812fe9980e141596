"""One agent process: its parts, the wires between them, its life from fork to farewell.

`run` is called by the fork server and ends the process with its return value.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress

import structlog

from bots import logs
from bots.agent.assembly import Answering, Wires, answering
from bots.agent.beats import beat_for_ever
from bots.agent.captaincy import Captaincy
from bots.agent.condition import Condition
from bots.agent.delegation import hands
from bots.agent.door import door
from bots.agent.hearing import Hearing
from bots.agent.networks import Events, Networks
from bots.agent.spec import AgentSpec
from bots.agent.supervision import Supervision
from bots.answering.worklist import Worklist
from bots.bus import KILL, NUDGE, Bus
from bots.clock import utc_now
from bots.control.obeying import Obedience
from bots.control.switch import KillSwitch
from bots.delegating.worker import Worker
from bots.hearing.attention import Attention
from bots.hearing.intake import Reflexes
from bots.keys.holding import AgentKeys
from bots.lifeline import Message, first_message
from bots.messages import Heard, TransportHealth
from bots.roster import Roster
from bots.secrets import Redactor
from bots.settings import Settings
from bots.state import StateFolder
from bots.tasks import Tasks
from storage import agents
from storage.errors import StorageError
from storage.latch import Latch, LatchFile
from storage.store import Store

_RECOVER_EVERY_S = 2.0
_FAREWELL = "until later"


def run(lifeline_fd: int, settings: Settings | None) -> int:
    """Live as the agent that the lifeline's first message describes, with these settings, until it
    or a signal ends it; returns the exit code.
    """
    lifeline = socket.socket(fileno=lifeline_fd)
    spec, already = first_message(lifeline)
    made = AgentSpec.model_validate(spec | {"settings": settings})
    return asyncio.run(_live(made, lifeline, already))


async def _live(spec: AgentSpec, lifeline: socket.socket, already: bytes) -> int:
    state = StateFolder(spec.state_folder)
    limits = spec.settings.limits
    redactor = Redactor(spec.secrets())
    logs.configure(
        state.log_of(spec.name), bytes=limits.log_bytes, files=limits.log_files, redactor=redactor
    )
    # Not connected here: an agent must come up, and be killable, while the database is away.
    store = Store(spec.database_url, connections=2)
    try:
        return await AgentProcess(spec, state, store, redactor).live(lifeline, already)
    finally:
        await store.close()


class AgentProcess:
    """The composition root of one process."""

    def __init__(
        self, spec: AgentSpec, state: StateFolder, store: Store, redactor: Redactor
    ) -> None:
        self._spec = spec
        self._store = store
        self._log = log = structlog.get_logger().bind(agent=spec.name)
        self._stopping = asyncio.Event()
        self._tasks = Tasks(self._break, log)
        self._broken = False
        self._roster = Roster(spec.settings, spec.discord_agents)
        self._keys = AgentKeys.of(spec, redactor.add)
        self._bus = Bus(spec.nats_url, spec.name, spec.nats_password.get_secret_value(), log=log)
        self._switch = KillSwitch(
            spec.name, LatchFile(state.latch), clock=utc_now, tell=self._spread_kill, log=log
        )
        self._attention = Attention(each=self._switch.look)
        self._supervision = self._supervised()
        self._networks = self._connected(state)
        parts = self._answering(redactor)
        self._giving = parts.giving
        self._recovery = parts.recovery
        self._mind = parts.mind
        self._looking = parts.looking
        self._hands = self._handing(parts)
        self._slash = self._networks.slash(
            state, parts, self._switch, self._tasks, self._supervision.tell
        )
        self._worklist = self._working(parts)
        self._captaincy = None
        if spec.name == spec.settings.captain:
            self._captaincy = Captaincy(
                spec, store, parts, switch=self._switch, ask=self._supervision.ask, log=log
            )
        self._obedience = self._obeying()
        self._switch.on_killed = self._killed
        self._switch.on_released = self._obedience.released
        self._hearing = self._listening(state, parts)
        self._door = door(
            spec,
            store,
            parts,
            keys=self._keys,
            switch=self._switch,
            health=self._state,
            redactor=redactor,
            log=log,
        )
        self._condition = Condition(
            switch=self._switch,
            networks=self._networks,
            bus=self._bus,
            hearing=self._hearing,
            mind=self._mind,
            keys=self._keys,
            door=self._door,
        )

    # --- its parts, in the order in which they are made -------------------------------------------

    def _supervised(self) -> Supervision:
        return Supervision(
            state=self._state,
            on_ping=self._attention.look,
            on_kill=self._killed_by_pipe,
            on_resume=self._resumed,
            on_nicks=self._roster.refresh,
            on_keys=self._take_keys,
            on_stop=self._stopping.set,
        )

    def _connected(self, state: StateFolder) -> Networks:
        events = Events(
            heard=self._heard,
            changed=self._network_changed,
            before_join=self._enter,
            began=self._began,
            interaction=self._interaction,
            veto=self._switch.veto,
        )
        return Networks(self._spec, state, events, self._log)

    def _answering(self, redactor: Redactor) -> Answering:
        return answering(
            self._spec,
            self._store,
            transports=self._networks.transports,
            roster=self._roster,
            switch=self._switch,
            wires=Wires(
                ask=self._supervision.ask,
                own_state=self._own_state,
                end_work=self._stop,
                nudge=lambda agent: self._owed([agent]),
                signer=lambda: self._keys.signer,
                publish=self._bus.publish,
            ),
            redactor=redactor,
            log=self._log,
        )

    def _handing(self, parts: Answering) -> Worker:
        return hands(
            self._spec,
            parts.giving,
            people=parts.people,
            thinker=parts.answerer.thinker,
            mouth=parts.answerer.replying.mouth,
            switch=self._switch,
            in_words=parts.mind.minutes,
            log=self._log,
        )

    def _working(self, parts: Answering) -> Worklist:
        return Worklist(
            self._store,
            self._spec.name,
            self._spec.epoch,
            clock=utc_now,
            turn=parts.answerer.turn,
            command=parts.desk.command,
            outlives_kill=parts.desk.outlives_kill,
            connected=self._networks.connected,
            is_nudged=lambda: self._bus.connected,
            coalesce_s=self._spec.settings.limits.coalesce_s,
            log=self._log,
        )

    def _obeying(self) -> Obedience:
        return Obedience(
            agent=self._spec.name,
            store=self._store,
            bus=self._bus,
            supervision=self._supervision,
            switch=self._switch,
            worklist=self._worklist,
            tasks=self._tasks,
            clock=utc_now,
            log=self._log,
        )

    def _listening(self, state: StateFolder, parts: Answering) -> Hearing:
        return Hearing(
            self._spec,
            state,
            self._store,
            transports=self._networks.transports,
            roster=self._roster,
            commands=parts.commands,
            reflexes=Reflexes(
                stop=self._stop,
                kill=lambda heard, spoken: self._tasks.start(parts.reflex(heard, spoken)),
            ),
            on_owed=self._owed,
            attention=self._attention,
            tasks=self._tasks,
            log=self._log,
        )

    # --- its life ---------------------------------------------------------------------------------

    async def live(self, lifeline: socket.socket, already: bytes) -> int:
        """Everything runs side by side until it is time to stop; returns the exit code."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopping.set)
        await self._supervision.open(lifeline, already)
        try:
            await self._door.open(self._spec.agent.hook_port)
        except OSError as error:
            # Another life would end the same way: say so, and wait for a person.
            self._condition.fatal = (
                f"hook_port {self._spec.agent.hook_port} cannot be used: {error.strerror}"
            )
            self._supervision.tell()
            await self._stopping.wait()
            return 0
        nudges = f"{NUDGE}.{self._spec.name}"
        self._tasks.start(
            self._bus.run(
                {nudges: self._nudged, KILL: self._obedience.heard_on_bus}
                | self._giving.bells.subscriptions()
                | (self._captaincy.subscriptions() if self._captaincy else {})
            ),
            self._hands.run(),
            *self._hearing.work(),
            *(t.run() for t in self._networks.transports.values()),
            self._worklist.run(),
            self._attention.run(),
            self._recover(),
            *(self._captaincy.work() if self._captaincy else ()),
            *([self._looking.run()] if self._looking else ()),
            beat_for_ever(self._store, self._spec.name, clock=utc_now, log=self._log),
        )
        await self._stopping.wait()
        await self._shut_down()
        return int(self._broken)

    async def _shut_down(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                leaving = (t.stop(_FAREWELL) for t in self._networks.transports.values())
                await asyncio.gather(*leaving)
        await self._slash.close()
        await self._tasks.cancel()
        with suppress(TimeoutError, StorageError):
            async with asyncio.timeout(1):
                await self._mind.close()
        await self._door.close()

    def _break(self) -> None:
        # To be born again is the cure, and the backoff counts it.
        self._broken = True
        self._stopping.set()

    # --- what its parts ask of each other ---------------------------------------------------------

    def _state(self) -> Message:
        return self._condition.told()

    def _own_state(self) -> str:
        return self._condition.in_words(self._worklist.busy + self._hands.busy)

    def _stop(self, session: str, who: str) -> bool:
        return self._worklist.stop_session(session, f"{who} said stop", who)

    # The networks are made before who listens to them: until then they hear nothing.

    async def _enter(self, network: str, channel: str) -> None:
        await self._hearing.enter(network, channel)

    def _heard(self, heard: Heard) -> None:
        self._hearing.heard(heard)

    def _interaction(self, interaction: object) -> None:
        self._slash.on_interaction(interaction)

    def _began(self, network: str) -> None:
        self._hearing.came_back(network)
        self._slash.began(network)

    def _network_changed(self, network: str, changed: TransportHealth) -> None:
        self._supervision.tell()
        self._hearing.changed(network, changed)
        if changed.connected:
            self._worklist.nudge()
            self._hands.nudge()

    def _owed(self, agents_owing: Iterable[str]) -> None:
        for agent in agents_owing:
            if agent == self._spec.name:
                self._worklist.nudge()
            else:
                self._bus.nudge(agent)

    def _nudged(self, body: Message) -> None:
        self._worklist.nudge()

    def _take_keys(self, message: Message) -> None:
        self._keys.take(message)
        self._log.info("keys.taken", key_id=self._keys.key_id, senders=self._keys.sender_ids)
        self._supervision.tell()

    def _killed_by_pipe(self, latch: Latch) -> None:
        self._switch.apply(latch)

    def _killed(self, latch: Latch) -> None:
        self._networks.hush()
        self._obedience.killed(latch)
        self._slash.hush()
        if self._looking is not None:
            self._looking.hush()
        self._mind.hush()
        self._hands.stop_all(latch.told)

    def _resumed(self) -> None:
        self._switch.release()

    def _spread_kill(self, latch: Latch) -> None:
        self._obedience.spread(latch)

    async def _recover(self) -> None:
        """Learn who is called what, and settle what predecessors left; look again while proof of
        their last words may come.
        """
        pending = True
        while pending:
            try:
                async with self._store.reading() as unit:
                    rows = await agents.roster(unit)
                self._roster.refresh({r.name: r.irc_nick for r in rows})
                await self._mind.recover()
                pending = await self._recovery.look()
            except StorageError as error:
                self._log.warning("recovery.waits", error=str(error))
            self._worklist.nudge()
            if pending:
                await asyncio.sleep(_RECOVER_EVERY_S)
