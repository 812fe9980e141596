"""The session cookie: who is logged in, and as whom they act; signed, so that nobody can write one.

Pure: key, time and text passed in.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

LASTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Login:
    """What a valid cookie says."""

    user: str
    issued_at: datetime


def write(key: bytes, login: Login) -> str:
    """The cookie's value: a JSON body and its HMAC-SHA256, both in URL-safe base64."""
    body = json.dumps({"user": login.user, "at": int(login.issued_at.timestamp())}).encode()
    return f"{_text(body)}.{_text(_mark(key, body))}"


def read(key: bytes, value: str, now: datetime) -> Login | None:
    """The login, or None for a cookie that is forged, broken or too old."""
    first, _, second = value.partition(".")
    try:
        body, mark = _bytes(first), _bytes(second)
    except (ValueError, binascii.Error):
        return None
    if not hmac.compare_digest(mark, _mark(key, body)):
        return None
    said = json.loads(body)
    issued_at = datetime.fromtimestamp(said["at"], now.tzinfo)
    if not timedelta(0) <= now - issued_at + timedelta(minutes=1) <= LASTS:
        return None
    return Login(user=str(said["user"]), issued_at=issued_at)


def _mark(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"parley console session\0" + body, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
