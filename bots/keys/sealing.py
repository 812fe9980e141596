"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the master key.

A ciphertext is bound to its key's id and owner: copied into another row it does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

MASTER_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed secret cannot be opened: another master key sealed it, or somebody changed it."""


@dataclass(frozen=True)
class Master:
    """The master key. Only the supervisor and the command line ever hold one."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Master:
        """From base64 of its 32 bytes; raises `ValueError`, which does not repeat it."""
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != MASTER_BYTES:
            raise ValueError("a master key is base64 of 32 random bytes: openssl rand -base64 32")
        return cls(key)

    @classmethod
    def new(cls) -> Master:
        return cls(secrets.token_bytes(MASTER_BYTES))

    @property
    def text(self) -> str:
        return base64.b64encode(self.key).decode()

    @property
    def name(self) -> str:
        """What rows call it: says which one it is, and nothing about it."""
        return hmac.new(self.key, b"parley master key 1", hashlib.sha256).hexdigest()[:12]

    def seal(self, secret: SecretStr, *, key_id: str, owner: str) -> str:
        """Base64 of nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        clear = secret.get_secret_value().encode()
        sealed = AESGCM(self.key).encrypt(nonce, clear, _bound_to(key_id, owner))
        return base64.b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, *, key_id: str, owner: str) -> SecretStr:
        """Raises `SealBroken`."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, cipher = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            clear = AESGCM(self.key).decrypt(nonce, cipher, _bound_to(key_id, owner))
        except (InvalidTag, ValueError):
            raise SealBroken(f"the sealed half of key {key_id} does not open") from None
        return SecretStr(clear.decode())


def _bound_to(key_id: str, owner: str) -> bytes:
    return json.dumps(["parley sealed key 1", key_id, owner]).encode()
