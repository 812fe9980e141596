"""The envelope in which work travels, signed over its canonical form (RFC 8785), pure.

Between agents it is a row of `storage.delegation_tables.Delegation`; from outside it is the body of
``POST /hooks/agent``:
``{"id", "kind", "from", "to", "issued_at", "expires_at", "nonce", "hops", "reply_to", "body",
"alg", "key_id", "signature"}``, times in ISO 8601 with a time zone. Who signed it is told by
`bots.keys.signer.genuine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

# A nonce is kept for as long as any clock takes what it signs for fresh: one number for both.
from storage.nonces import SKEW

_TEXTS: Final = ("id", "kind", "from", "to", "nonce", "reply_to", "alg", "key_id", "signature")
_LONGEST_TEXT: Final = 300


class EnvelopeError(ValueError):
    """What came is no envelope, or not one that may be believed; the text says why."""


class Stale(EnvelopeError):
    """It is too old, or from the future."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    id: str
    #: by HTTP ``task``, ``wake`` or ``cancel``; between agents ``task``, ``wake``, ``case``,
    #: ``talk`` or ``minutes``
    kind: str
    #: agent, or outside sender, that vouches for it
    sender: str
    to: str
    issued_at: datetime
    expires_at: datetime
    nonce: str
    #: agents through whose hands it came
    hops: int
    #: typed address where the result is said; empty: nowhere
    reply_to: str
    body: Mapping[str, Any]
    alg: str
    key_id: str
    signature: str = ""

    def canonical(self) -> bytes:
        """What is signed: all of it but the signature; raises `EnvelopeError` for a body that JSON
        cannot carry.
        """
        fields: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "from": self.sender,
            "to": self.to,
            "issued_at": self.issued_at.astimezone(UTC).isoformat(),
            "expires_at": self.expires_at.astimezone(UTC).isoformat(),
            "nonce": self.nonce,
            "hops": self.hops,
            "reply_to": self.reply_to,
            "body": dict(self.body),
            "alg": self.alg,
            "key_id": self.key_id,
        }
        try:
            return rfc8785.dumps(fields)
        except rfc8785.CanonicalizationError as error:
            raise EnvelopeError(f"the body has no canonical form: {error}") from error


def read(raw: Mapping[str, Any]) -> Envelope:
    """An envelope from JSON; raises `EnvelopeError` that names the field."""
    unknown = sorted(set(raw) - {*_TEXTS, "issued_at", "expires_at", "hops", "body"})
    if unknown:
        raise EnvelopeError(f"an envelope has no field {unknown[0]!r}")
    texts = {name: _text(raw, name) for name in _TEXTS}
    hops, body = raw.get("hops", 0), raw.get("body")
    if isinstance(hops, float) and hops.is_integer():
        # JSON has one kind of number: 1.0 is 1.
        hops = int(hops)
    if isinstance(hops, bool) or not isinstance(hops, int) or not 0 <= hops <= 100:
        raise EnvelopeError("'hops' must be a small whole number")
    if not isinstance(body, Mapping):
        raise EnvelopeError("'body' must be an object")
    return Envelope(
        id=texts["id"],
        kind=texts["kind"],
        sender=texts["from"],
        to=texts["to"],
        issued_at=_time(raw, "issued_at"),
        expires_at=_time(raw, "expires_at"),
        nonce=texts["nonce"],
        hops=hops,
        reply_to=texts["reply_to"],
        body=body,
        alg=texts["alg"],
        key_id=texts["key_id"],
        signature=texts["signature"],
    )


def check_fresh(envelope: Envelope, now: datetime) -> None:
    """Raises `Stale` for what no clock within `SKEW` of ours would take now."""
    if envelope.issued_at > now + SKEW:
        raise Stale("it was issued in the future: look at the clocks")
    if envelope.expires_at <= now:
        raise Stale("it has expired: sign it again")
    if envelope.issued_at < now - SKEW:
        raise Stale(f"it was issued more than {SKEW.seconds} s ago: sign it again")


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise EnvelopeError(f"{name!r} must be a text of at most {_LONGEST_TEXT} characters")
    if not value and name not in {"reply_to", "kind", "signature"}:
        raise EnvelopeError(f"{name!r} is missing")
    return value


def _time(raw: Mapping[str, Any], name: str) -> datetime:
    value = raw.get(name)
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise EnvelopeError(f"{name!r} must be a time in ISO 8601") from None
    if moment.tzinfo is None:
        raise EnvelopeError(f"{name!r} must have a time zone")
    return moment
