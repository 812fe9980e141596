"""The roster: each agent's state, the lease under which one process runs it, and its heartbeats."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage import events
from storage.core import AGENT, HEARTBEAT, insert, run
from storage.errors import LeaseLost, StorageError
from storage.tables import Agent, AgentState, Heartbeat, HeartbeatTier
from storage.unit import Unit

INFRA_STALE: Final = timedelta(seconds=120)
FUNCTIONAL_STALE: Final = timedelta(seconds=90)
#: states in which an agent cannot work and nobody wanted it
_FAILURES: Final = (AgentState.FAILED, AgentState.HUNG)


async def enrol(unit: Unit, name: str, role: str, now: datetime) -> None:
    """Put an agent on the roster, or give a known one its new role; its state stays."""
    add = insert(unit, AGENT).values(
        name=name,
        role=role,
        state=str(AgentState.STOPPED),
        reason="",
        epoch=0,
        updated_at=now,
    )
    change = {"role": role, "updated_at": now}
    await run(unit, add.on_conflict_do_update(index_elements=["name"], set_=change))


async def take(unit: Unit, name: str, holder: str, *, now: datetime, ttl_s: float) -> int:
    """Begin to run an agent for `ttl_s` seconds; returns the new epoch, state `starting`.

    Raises `LeaseLost` while another holder's lease is live, `StorageError` for an unknown agent.
    """
    c = AGENT.c
    free = sa.or_(
        c.holder.is_(None), c.holder == holder, c.lease_until.is_(None), c.lease_until <= now
    )
    change = (
        sa.update(AGENT)
        .where(c.name == name, free)
        .values(
            holder=holder,
            epoch=c.epoch + 1,
            lease_until=now + timedelta(seconds=ttl_s),
            state=str(AgentState.STARTING),
            reason="",
            updated_at=now,
        )
        .returning(c.epoch)
    )
    epoch = (await run(unit, change)).scalar_one_or_none()
    if epoch is not None:
        return int(epoch)
    other = (await run(unit, sa.select(c.holder, c.lease_until).where(c.name == name))).first()
    if other is None:
        raise StorageError(f"There is no agent {name!r} on the roster.")
    raise LeaseLost(f"{name} is run by {other.holder} until {other.lease_until:%H:%M:%S} UTC.")


async def extend(  # noqa: PLR0917  the lease, then its new end
    unit: Unit, name: str, holder: str, epoch: int, now: datetime, ttl_s: float
) -> bool:
    """Keep running an agent for `ttl_s` more seconds; False when it is not ours any more."""
    until = now + timedelta(seconds=ttl_s)
    return await _change(unit, name, holder, epoch, {"lease_until": until})


async def let_go(
    unit: Unit,
    name: str,
    holder: str,
    epoch: int,
    now: datetime,
    *,
    state: AgentState = AgentState.STOPPED,
    reason: str = "",
) -> bool:
    """Run an agent no longer: nobody holds it, and its process facts are gone. False when lost."""
    values = {
        "holder": None,
        "lease_until": None,
        "state": str(state),
        "reason": reason,
        "pid": None,
        "hook_url": None,
        "irc_nick": None,
        "updated_at": now,
    }
    return await _change(unit, name, holder, epoch, values)


async def report(
    unit: Unit,
    name: str,
    epoch: int,
    *,
    now: datetime,
    state: AgentState | None = None,
    reason: str | None = None,
    pid: int | None = None,
    hook_url: str | None = None,
    irc_nick: str | None = None,
) -> bool:
    """Write what changed (None: as before); False when a newer process runs this agent."""
    facts = {
        "state": None if state is None else str(state),
        "reason": reason,
        "pid": pid,
        "hook_url": hook_url,
        "irc_nick": irc_nick,
    }
    values = {key: value for key, value in facts.items() if value is not None}
    if state in _FAILURES:
        await _failing(unit, name, epoch, state, reason or "", now)
    change = sa.update(AGENT).where(AGENT.c.name == name, AGENT.c.epoch == epoch)
    return (await run(unit, change.values(updated_at=now, **values))).rowcount == 1


async def _failing(  # noqa: PLR0917 - what `report` was told
    unit: Unit, name: str, epoch: int, state: AgentState, reason: str, now: datetime
) -> None:
    """An event, where this process was in another state until now."""
    c = AGENT.c
    query = sa.select(c.state).where(c.name == name, c.epoch == epoch, c.state != str(state))
    if (await run(unit, query)).first() is not None:
        text = f"{name} is {state}" + (f": {reason}" if reason else "")
        topic, ref = f"failure.{state}", f"agent:{name}"
        await events.record(unit, topic=topic, agent=name, text=text, at=now, ref=ref)


async def roster(unit: Unit) -> list[Agent]:
    """Every enrolled agent, by name."""
    columns = [AGENT.c[name] for name in Agent.model_fields]
    rows = await run(unit, sa.select(*columns).order_by(AGENT.c.name))
    return [Agent(**row) for row in rows.mappings()]


async def beat(unit: Unit, agent: str, tier: HeartbeatTier, now: datetime, claim: str = "") -> None:
    """Write a heartbeat; `claim` names the work that is open (functional tier)."""
    add = insert(unit, HEARTBEAT).values(agent=agent, tier=str(tier), at=now, claim=claim)
    change = {"at": now, "claim": claim}
    await run(unit, add.on_conflict_do_update(index_elements=["agent", "tier"], set_=change))


async def beats(unit: Unit) -> dict[tuple[str, str], Heartbeat]:
    """The last heartbeat of each agent and tier."""
    columns = [HEARTBEAT.c[name] for name in Heartbeat.model_fields]
    rows = (await run(unit, sa.select(*columns))).mappings()
    return {(row["agent"], row["tier"]): Heartbeat(**row) for row in rows}


def is_stale(beat: Heartbeat, now: datetime) -> bool:
    """Whether a heartbeat is too old: infra after 120 s, functional 90 s while a claim is open."""
    age = now - beat.at
    if beat.tier == HeartbeatTier.FUNCTIONAL:
        return bool(beat.claim) and age > FUNCTIONAL_STALE
    return age > INFRA_STALE


async def _change(unit: Unit, name: str, holder: str, epoch: int, values: dict[str, Any]) -> bool:
    c = AGENT.c
    change = sa.update(AGENT).where(c.name == name, c.holder == holder, c.epoch == epoch)
    return (await run(unit, change.values(**values))).rowcount == 1
