"""Bot tokens as Discord makes them: the bot's user id first, in base64 ("Authentication")."""

from __future__ import annotations

import base64
import binascii
import secrets


def user_of(token: str) -> int:
    """The user id that a bot token begins with; `ValueError` for what is no bot token."""
    first = token.partition(".")[0]
    try:
        decoded = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True)
        return int(decoded.decode("ascii"))
    except (binascii.Error, ValueError):
        raise ValueError("that is no bot token: it does not begin with a user id") from None


def token_of(user: int) -> str:
    """A new token for this user."""
    first = base64.urlsafe_b64encode(str(user).encode()).decode().rstrip("=")
    return f"{first}.{secrets.token_urlsafe(6)}.{secrets.token_urlsafe(24)}"
