"""The audit: one append-only hash chain an agent.

Each entry's hash covers its fields and the hash before it, so a changed, removed or inserted entry
breaks the chain from there on. Triggers forbid changes besides. (Entries cut off at the end show
only against a signed checkpoint.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.core import AUDIT, one_at_a_time, run
from storage.tables import AuditEntry
from storage.unit import Unit

#: previous hash of the first entry
GENESIS: Final = "0" * 64
_PAGE: Final = 1_000
_COLUMNS: Final = [AUDIT.c[name] for name in AuditEntry.model_fields]
# Every act passes here; to put a statement together takes longer than to run it.
_LAST: Final = (
    sa.select(AUDIT.c.seq, AUDIT.c.hash)
    .where(AUDIT.c.agent == sa.bindparam("of"))
    .order_by(AUDIT.c.seq.desc())
    .limit(1)
)
_APPEND: Final = sa.insert(AUDIT)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks, as RFC 8785 asks for strings, integers and structures.

    Raises `TypeError` for what JSON cannot carry and `ValueError` for NaN and infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the canonical JSON of every field but the row's id and the hash itself."""
    fields = {key: value for key, value in entry.items() if key not in {"id", "hash"}}
    fields["at"] = fields["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(canonical(fields).encode("utf-8", "surrogatepass")).hexdigest()


async def append(
    unit: Unit,
    *,
    agent: str,
    at: datetime,
    verb: str,
    target: str,
    outcome: str,
    reason: str,
    details: Mapping[str, Any],
    trace_id: str,
) -> str:
    """Add an entry at the end of `agent`'s chain and return its hash."""
    await one_at_a_time(unit, f"audit:{agent}")
    row = (await run(unit, _LAST, {"of": agent})).first()
    entry: dict[str, Any] = {
        "agent": agent,
        "seq": 1 if row is None else row.seq + 1,
        "at": at,
        "verb": verb,
        "target": target,
        "outcome": outcome,
        "reason": reason,
        "details": canonical(details),
        "trace_id": trace_id,
        "previous_hash": GENESIS if row is None else row.hash,
    }
    entry["hash"] = digest(entry)
    await run(unit, _APPEND, entry)
    return str(entry["hash"])


async def verify(unit: Unit, agent: str) -> int | None:
    """The `seq` at which the chain breaks (an altered or missing entry), None when it is whole."""
    expected, previous = 1, GENESIS
    while page := await _page(unit, agent, expected - 1):
        for entry in page:
            if entry["seq"] != expected or entry["previous_hash"] != previous:
                return expected
            if entry["hash"] != digest(entry):
                return expected
            expected, previous = expected + 1, entry["hash"]
    return None


async def entries(
    unit: Unit,
    agent: str | None = None,
    limit: int = 100,
    *,
    verb: str | None = None,
    since: datetime | None = None,
    trace_id: str | None = None,
) -> list[AuditEntry]:
    """The newest `limit` entries (of one agent, verb or trace, since a time), oldest first."""
    c = AUDIT.c
    query = sa.select(*_COLUMNS).order_by(c.id.desc()).limit(limit)
    for column, value in ((c.agent, agent), (c.verb, verb), (c.trace_id, trace_id)):
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(c.at >= since)
    rows = (await run(unit, query)).mappings().all()
    return [AuditEntry(**row) for row in reversed(rows)]


async def agents_audited(unit: Unit) -> list[str]:
    """Names of the agents that have a chain."""
    query = sa.select(AUDIT.c.agent).distinct().order_by(AUDIT.c.agent)
    return list((await run(unit, query)).scalars())


async def _page(unit: Unit, agent: str, after_seq: int) -> list[dict[str, Any]]:
    c = AUDIT.c
    query = sa.select(*_COLUMNS).where(c.agent == agent, c.seq > after_seq)
    rows = await run(unit, query.order_by(c.seq).limit(_PAGE))
    return [dict(row) for row in rows.mappings()]
