"""How the hearing half of an agent is put together: what its sockets read, and where it sits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.commands.registry import Registry
from bots.hearing.attention import Attention
from bots.hearing.intake import Intake, Reflexes
from bots.hearing.journal import Journal
from bots.hearing.listening import Ears
from bots.hearing.presence import Presence
from bots.messages import DISCORD, Heard, TransportHealth
from bots.roster import Roster
from bots.state import StateFolder
from bots.tasks import Tasks
from bots.transport import Transport
from storage.store import Store


class Hearing:
    """Of one agent on all its networks."""

    def __init__(
        self,
        spec: AgentSpec,
        state: StateFolder,
        store: Store,
        *,
        transports: Mapping[str, Transport],
        roster: Roster,
        commands: Registry,
        reflexes: Reflexes,
        on_owed: Callable[[Iterable[str]], None],
        attention: Attention,
        tasks: Tasks,
        log: FilteringBoundLogger,
    ) -> None:
        """`on_owed` is told who owes a heard line a look; `attention` how late one is read; `tasks`
        run what takes its time.
        """
        self._tasks = tasks
        #: network → channels that it sits in
        self._places: dict[str, frozenset[str]] = {}
        self._attention = attention
        self._ears = Ears(
            store,
            spec.name,
            clock=utc_now,
            journal=Journal(state.journal_of(spec.name)),
            on_owed=on_owed,
            on_taken=lambda *where: tasks.start(self._presence.catch_up(*where)),
            log=log,
        )
        self._presence = Presence(store, spec.name, self._ears, transports, utc_now, log)
        self._intake = Intake(
            spec.name,
            spec.settings,
            roster,
            commands,
            ears=self._ears,
            reflexes=reflexes,
            lag_s=self._attention.lag_s,
            log=log,
        )

    @property
    def trouble(self) -> str:
        """Why what is heard cannot be stored at present; empty when it can."""
        return self._ears.trouble

    def work(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What runs while the process lives."""
        return (self._ears.run(),)

    def heard(self, heard: Heard) -> None:
        """A socket has read this."""
        self._intake.heard(heard)

    async def enter(self, network: str, channel: str) -> None:
        """About to sit in a channel; raises `StorageError`."""
        await self._ears.enter(network, channel)

    def came_back(self, network: str) -> None:
        """A connection has begun anew."""
        self._tasks.start(self._presence.came_back(network))

    def changed(self, network: str, health: TransportHealth) -> None:
        """A connection is another than before: so are the places where it sits."""
        before, now = self._places.get(network, frozenset()), frozenset(health.channels)
        self._places[network] = now
        self._ears.cut_off(network, before - now, self._attention.lag_s())
        # Only those that are new: a guild may have a thousand threads, and gets one more.
        self._tasks.start(*(self._presence.sit_in(network, c) for c in now - before))
        if health.connected and network == DISCORD:
            self._ears.leave(network, before - now)
