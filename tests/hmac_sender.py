"""An outside sender, who signs as docs/HOOKS.md tells it to."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True)
class HmacSender:
    key_id: str
    secret: SecretStr = field(repr=False)

    def sign(self, message: bytes) -> str:
        code = hmac.digest(self.secret.get_secret_value().encode(), message, "sha256")
        return urlsafe_b64encode(code).decode().rstrip("=")
