"""Keys as people and scripts see them: never with what is secret of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bots.keys.desk import Made
from storage.key_life import KeyState
from storage.keys import Key


def as_json(key: Key, now: datetime) -> dict[str, Any]:
    """`state` is a `KeyState`; times are ISO 8601 in UTC, None where it never happened."""
    return {
        "key_id": key.key_id,
        "owner": key.owner,
        "kind": str(key.kind),
        "alg": str(key.alg),
        "public": key.public,
        "created_at": _time(key.created_at),
        "expires_at": _time(key.expires_at),
        "verifies_until": _time(key.life.ends_at) if key.life.may_verify(now) else None,
        "revoked_at": _time(key.revoked_at),
        "revoked_by": key.revoked_by,
        "state": str(key.life.state(now)),
    }


def made_as_json(made: Made, now: datetime) -> dict[str, Any]:
    """The one place where a secret of ours is told: to who asked for it, once."""
    secret = made.secret.get_secret_value() if made.secret else None
    return as_json(made.key, now) | ({"secret": secret} if secret else {})


def revoked_as_json(revoked: Sequence[Key]) -> dict[str, Any]:
    return {"revoked": [key.key_id for key in revoked]}


def in_words(key: Key, now: datetime) -> str:
    """What state it is in, for a table."""
    state = key.life.state(now)
    if state is KeyState.VERIFIES:
        return f"verifies until {day_and_time(key.life.ends_at)}"
    if state is KeyState.REVOKED and key.revoked_at is not None:
        return f"revoked {day_and_time(key.revoked_at)} by {key.revoked_by}"
    return str(state)


def day_and_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None
