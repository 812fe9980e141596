"""An agent signs with its Ed25519 key; what it, or a sender with its HMAC secret, signed verifies.

RFC 8032 (Ed25519), RFC 2104 (HMAC). A signature is base64url without padding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import SecretStr

from bots.control.signatures import public_half
from storage.key_tables import KeyAlgorithm
from storage.keys import Key

#: bytes of randomness in an HMAC secret that we make
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Signer:
    """An agent's key. Take it once for one message: `key_id` and signature belong together."""

    key_id: str
    #: base64 of the 32 private bytes
    secret: SecretStr = field(repr=False)

    def sign(self, message: bytes) -> str:
        raw = base64.b64decode(self.secret.get_secret_value())
        return _text(Ed25519PrivateKey.from_private_bytes(raw).sign(message))


def genuine(key: Key, message: bytes, signature: str, secret: SecretStr | None = None) -> bool:
    """Whether `signature` under `message` was made by `key`; HMAC takes its `secret`.

    That the key may verify now is not asked here: `storage.keys.verifying` tells.
    """
    given = _bytes(signature)
    if given is None:
        return False
    if key.alg is KeyAlgorithm.HMAC_SHA256:
        return secret is not None and hmac.compare_digest(_hmac(secret, message), given)
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public)).verify(given, message)
    except (InvalidSignature, ValueError):
        # ValueError: what the row calls a public key is none.
        return False
    return True


def new_pair() -> tuple[str, SecretStr]:
    """A new Ed25519 key: base64 of its public and of its private half."""
    key = Ed25519PrivateKey.generate()
    return public_half(key), SecretStr(base64.b64encode(key.private_bytes_raw()).decode())


def new_secret() -> SecretStr:
    """A new HMAC secret."""
    return SecretStr(secrets.token_urlsafe(_SECRET_BYTES))


def new_id(owner: str) -> str:
    """An id that nobody else has, and that says whose key it is."""
    return f"{owner}-{secrets.token_hex(4)}"


def _hmac(secret: SecretStr, message: bytes) -> bytes:
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).digest()


def _text(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    """What `_text` made a text of; None for any other text."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    # One signature has one spelling: what is accepted once must not come back as another text.
    return found if _text(found) == text else None
