"""What a key may do at a moment: values in, values out.

`signs → verifies → expired`, and `revoked` from anywhere, for good. A key signs until it has a
successor; from then on it only verifies, for an overlap, so that what is under way arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: how long a key lives at most, and how long the old one verifies beside the new, unless swarm.toml
#: says otherwise
LIFE: Final = timedelta(days=90)
OVERLAP: Final = timedelta(hours=24)


class KeyState(StrEnum):
    SIGNS = "signs"
    VERIFIES = "verifies"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Life:
    created_at: datetime
    expires_at: datetime
    #: end of the overlap; None while it has no successor
    retiring_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """The moment from which on it verifies nothing, unless it is revoked before."""
        if self.retiring_at is None:
            return self.expires_at
        return min(self.retiring_at, self.expires_at)

    def state(self, now: datetime) -> KeyState:
        """A revoked key is revoked at any time: what it signed before counts no more either."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if now >= self.ends_at:
            return KeyState.EXPIRED
        return KeyState.SIGNS if self.retiring_at is None else KeyState.VERIFIES

    def may_verify(self, now: datetime) -> bool:
        return self.state(now) in {KeyState.SIGNS, KeyState.VERIFIES}

    def is_near_its_end(self, now: datetime, within: timedelta) -> bool:
        """It still signs, but in `within` it will not."""
        return self.state(now) is KeyState.SIGNS and now >= self.expires_at - within

    def why_not(self, now: datetime) -> str:
        """Why it verifies nothing at `now`, as the end of a sentence; empty when it does."""
        if self.revoked_at is not None:
            return f"was revoked at {self.revoked_at:%Y-%m-%d %H:%M} UTC"
        if now >= self.expires_at:
            return f"expired at {self.expires_at:%Y-%m-%d %H:%M} UTC"
        if self.retiring_at is not None and now >= self.retiring_at:
            return f"was replaced; it was good until {self.retiring_at:%Y-%m-%d %H:%M} UTC"
        return ""
