"""How agents hear that there is work, or that something became of it: by the bus, or right here."""

from __future__ import annotations

from collections.abc import Callable

from bots.bus import EVENT, HOOK, RESULT
from bots.delegating.waiting import Waiting
from bots.lifeline import Message


class Bells:
    """Of one agent. What gets lost costs latency: whoever waits looks by itself besides."""

    def __init__(
        self, agent: str, waiting: Waiting, publish: Callable[[str, Message], None]
    ) -> None:
        """`publish` sends a body on a subject of the bus."""
        self._agent = agent
        self._waiting = waiting
        self._publish = publish
        #: wakes this agent's own hands, once it has any
        self.wake: Callable[[], None] = lambda: None

    def owed(self, agent: str) -> None:
        """`agent` has work waiting."""
        if agent == self._agent:
            self.wake()
        else:
            self._publish(f"{HOOK}.{agent}", {})

    def changed(self, agent: str, code: str, *, only_tells: bool = False) -> None:
        """Something became of a delegation that concerns `agent`, who has to do something about it
        unless it `only_tells`.
        """
        self._waiting.changed(code)
        if agent != self._agent:
            self._publish(f"{RESULT}.{agent}", {"code": code, "only_tells": only_tells})
        elif not only_tells:
            self.wake()

    def ended(self) -> None:
        """A delegation has ended, which is an event: whoever tells others of those looks for it."""
        self._publish(f"{EVENT}.{self._agent}.delegation", {})

    def subscriptions(self) -> dict[str, Callable[[Message], None]]:
        """What is listened for on the bus."""
        return {f"{HOOK}.{self._agent}": self._hooked, f"{RESULT}.{self._agent}": self._told}

    def _hooked(self, _: Message) -> None:
        self.wake()

    def _told(self, body: Message) -> None:
        self._waiting.changed(str(body.get("code", "")))
        if not body.get("only_tells"):
            # It may be cancelled, or have come to where this agent has to say it.
            self.wake()
