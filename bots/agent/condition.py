"""How an agent is: told with every pong, at its door, and to people who ask."""

from __future__ import annotations

from dataclasses import dataclass

from bots.agent import health
from bots.agent.hearing import Hearing
from bots.agent.mind import Mind
from bots.agent.networks import Networks
from bots.bus import Bus
from bots.control.switch import KillSwitch
from bots.hooks.door import HookDoor
from bots.keys.holding import AgentKeys
from bots.lifeline import Message
from bots.messages import DISCORD, IRC
from storage.tables import AgentState


@dataclass(kw_only=True)
class Condition:
    """Asked of the parts each time."""

    switch: KillSwitch
    networks: Networks
    bus: Bus
    hearing: Hearing
    mind: Mind
    keys: AgentKeys
    door: HookDoor
    #: why it cannot work at all, in one sentence
    fatal: str = ""
    _was_ready: bool = False

    def told(self) -> Message:
        """The fields of a pong; it shows on the networks, too."""
        state, reason = health.state_of(
            health.Parts(
                latch=self.switch.latch,
                links=self.networks.links(),
                was_ready=self._was_ready,
                bus_connected=self.bus.connected,
                store_trouble=self.hearing.trouble,
                mind_trouble=self.mind.trouble(),
                key_trouble=self.keys.trouble,
            )
        )
        if self.fatal and state is not AgentState.KILLED:
            state, reason = AgentState.FAILED, self.fatal
        self.networks.show(state)
        self._was_ready = self._was_ready or state is AgentState.READY
        return {
            "state": state.value,
            "reason": reason,
            "nick": self.networks.name_on(IRC),
            "discord": self.networks.name_on(DISCORD),
            "hook_url": self.door.url,
            "door_url": self.door.local_url,
        }

    def in_words(self, busy: int) -> str:
        """For people; `busy` pieces of work are being done."""
        state = self.told()
        work = f"working on {busy}" if busy else "idle"
        return f"{state['state']}, {work}" + (f" ({state['reason']})" if state["reason"] else "")
