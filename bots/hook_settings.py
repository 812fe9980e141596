"""The part of `swarm.toml` about hooks: who outside the swarm may hand work to whom."""

from __future__ import annotations

from pydantic import Field

from bots.setting_types import AgentName, SecretReference, Table


class SenderSettings(Table):
    """Somebody outside the swarm who may send signed hooks, under a name of ours."""

    #: the HMAC secret, by reference; left out: `run.py keys create NAME` makes one
    secret: SecretReference | None = None
    #: agents it may address, ``all`` for everybody; nobody unless named
    may_delegate_to: tuple[str, ...] = ()

    def may_address(self, agent: str) -> bool:
        return agent in self.may_delegate_to or "all" in self.may_delegate_to


class HookSettings(Table):
    #: outside senders that sign with an HMAC secret, by name
    senders: dict[AgentName, SenderSettings] = Field(default_factory=dict)
