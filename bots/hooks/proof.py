"""Who signed an envelope that came by HTTP, and whether it may be believed.

What is signed is the canonical form (RFC 8785) of the JSON as it was sent, without `signature`: a
sender may write its times in any form of ISO 8601. Key, freshness and nonce are looked at in one
transaction, so a revoked key is revoked from its commit on and a nonce is good once for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785
from pydantic import SecretStr

from bots.hooks import envelope
from bots.hooks.envelope import Envelope, EnvelopeError, Stale
from bots.hooks.fields import is_clean
from bots.hooks.refusal import Refused
from bots.keys.signer import genuine
from storage import keys, nonces
from storage.key_tables import KeyAlgorithm
from storage.keys import Key
from storage.unit import Unit

#: what tells an envelope from the body of a script
_MARKS: Final = frozenset({"signature", "key_id", "body"})


@dataclass(frozen=True)
class Sealed:
    """An envelope as it came, not yet believed."""

    envelope: Envelope
    #: what its signature is under
    words: bytes


def is_envelope(body: Mapping[str, Any]) -> bool:
    return set(body) >= _MARKS


def opened(body: Mapping[str, Any]) -> Sealed:
    """Raises `Refused` for what has not the form of an envelope."""
    try:
        found = envelope.read(body)
        words = rfc8785.dumps({k: v for k, v in body.items() if k != "signature"})
    except EnvelopeError as error:
        raise Refused("bad_envelope", str(error)) from None
    except (rfc8785.CanonicalizationError, ValueError, RecursionError):
        raise Refused("bad_envelope", "the envelope has no canonical form (RFC 8785)") from None
    names = (found.id, found.sender, found.to, found.nonce, found.key_id, found.alg, found.reply_to)
    if not all(map(is_clean, names)):
        raise Refused("bad_envelope", "a name in the envelope has a character that is no text")
    return Sealed(found, words)


@dataclass(frozen=True)
class Proofs:
    """Checks signatures with keys of the store, and the HMAC secrets that this agent holds."""

    #: HMAC secret of a key id; None: this agent does not have it
    secret_of: Callable[[str], SecretStr | None]
    clock: Callable[[], datetime]

    async def accept(self, unit: Unit, sealed: Sealed) -> None:
        """Use the envelope up, in the transaction that takes what it asks for; raises `Refused`.

        With that transaction it is rolled back, and was not used.
        """
        given, now = sealed.envelope, self.clock()
        try:
            envelope.check_fresh(given, now)
        except Stale as error:
            raise Refused("stale", str(error)) from None
        key = await keys.verifying(unit, given.key_id, now)
        if key is None:
            raise Refused("bad_key", await keys.why_not(unit, given.key_id, now))
        self._check(key, sealed)
        # Whatever it says itself: later than this nobody takes it for fresh.
        ends_at = min(given.expires_at, given.issued_at + nonces.SKEW).astimezone(UTC)
        if not await nonces.use(unit, given.nonce, key_id=given.key_id, expires_at=ends_at):
            raise Refused("replayed", "its nonce was used before: sign it again with a new one")

    def _check(self, key: Key, sealed: Sealed) -> None:
        given = sealed.envelope
        if key.owner != given.sender or str(key.alg) != given.alg:
            raise Refused("forged", f"key {given.key_id} is not {given.sender}'s {given.alg} key")
        secret = None
        if key.alg is KeyAlgorithm.HMAC_SHA256:
            secret = self.secret_of(key.key_id)
            if secret is None:
                raise Refused(
                    "unavailable",
                    "this agent does not have the sender's secret yet",
                    retry_after_s=2.0,
                )
        if not genuine(key, sealed.words, given.signature, secret):
            raise Refused("forged", "the signature is not that key's under these words")
