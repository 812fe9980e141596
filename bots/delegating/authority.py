"""Who may hand work to whom, as swarm.toml says."""

from __future__ import annotations

from bots.settings import Settings
from brain.delegation.authority import Authority


def authority_of(settings: Settings) -> Authority:
    """The rules for this swarm."""
    allowed = {agent.name: agent.may_delegate_to for agent in settings.agents}
    return Authority(allowed, settings.limits.delegation_hops)


def receivers_of(settings: Settings) -> dict[str, list[str]]:
    """For each agent those that it may hand work to."""
    authority = authority_of(settings)
    names = list(authority.allowed)
    return {one: [o for o in names if authority.may_give(one, o)] for one in names}
