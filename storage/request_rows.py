"""Questions to people as rows: the values of a new one, and a row as a value. Only glue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.audit import canonical
from storage.request import Approvers, NewRequest, Request
from storage.tables import RequestState


def first_values(new: NewRequest, now: datetime) -> dict[str, Any]:
    """Every column of a question that is just asked, but for its id and its code."""
    return {
        "agent": new.agent,
        "kind": new.kind,
        "subject": new.subject,
        "title": new.title,
        "facts": canonical([list(fact) for fact in new.facts]),
        "reason": new.reason,
        "sources": canonical(list(new.sources)),
        "attempt": new.attempt,
        "currency": new.currency,
        "cost_micros": new.cost_micros,
        "return_micros": new.return_micros,
        "asked_by": new.asked_by,
        "approvers": canonical(
            {
                "users": list(new.approvers.users),
                "roles": list(new.approvers.roles),
                "accounts": list(new.approvers.accounts),
            }
        ),
        "network": new.network,
        "channel": new.channel,
        "shown": "",
        "quorum": new.quorum,
        "state": str(RequestState.PENDING),
        "created_at": now,
        "expires_at": new.expires_at,
        "decided_by": "",
        "evidence": "{}",
        "note": "",
        "outcome": "",
        "completed_by": "",
        "waiter": new.waiter,
        "reference": new.reference,
        "awaited_until": new.awaited_until,
        "told": "",
        "trace_id": new.trace_id,
    }


def request_of(row: Mapping[Any, Any]) -> Request:
    """The question that a row is."""
    values = dict(row)
    approvers = json.loads(values["approvers"])
    values["facts"] = tuple((label, value) for label, value in json.loads(values["facts"]))
    values["approvers"] = Approvers(
        tuple(approvers["users"]),
        tuple(approvers["roles"]),
        # Older rows know of none.
        tuple(approvers.get("accounts", ())),
    )
    values["sources"] = tuple(json.loads(values["sources"]))
    values["evidence"] = json.loads(values["evidence"])
    values["state"] = RequestState(values["state"])
    return Request(**values)


def money_of(request: Request) -> dict[str, int | str]:
    """The sums that are known of it, for the record."""
    sums = {
        "cost_micros": request.cost_micros,
        "return_micros": request.return_micros,
        "paid_micros": request.paid_micros,
        "earned_micros": request.earned_micros,
    }
    known: dict[str, int | str] = {name: sum_ for name, sum_ in sums.items() if sum_ is not None}
    return known | {"currency": request.currency} if known else {}
