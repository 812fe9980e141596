"""A model's API keys: taken in turn, left alone for a while when the provider turns one down.

How often a key is used in a minute is counted in the store, by all agents together
(`storage.spending.reserve`); which key rests is known to this process alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from brain.errors import LoginRefused, ModelFailed, NoUsableKey, RateLimited
from brain.models.provider import Key, ModelSpec
from storage.spending import KeyLimit

#: a key that was refused is tried again after this time: when its circuit lets somebody try
_REFUSED_S: Final = 30.0
#: whatever a provider asks for: a moment in milliseconds, read as seconds, is for ever
_LONGEST_S: Final = 86_400.0
#: a key with too many requests, unless the provider says when
_BUSY_S: Final = 5.0
_KEYLESS: Final = frozenset({"compatible", "local"})


@dataclass(frozen=True)
class _Rest:
    until: datetime
    why: ModelFailed


class KeyPool:
    """The keys of `spec`; agents begin at different ones. `missing` says why keys that are
    configured could not be had, `clock` gives aware UTC.
    """

    def __init__(
        self,
        spec: ModelSpec,
        clock: Callable[[], datetime],
        *,
        agent: str = "",
        missing: str = "",
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._missing = missing
        self._keys = {key.name: key for key in spec.keys}
        self._resting: dict[str, _Rest] = {}
        self._turn = zlib.crc32(agent.encode())

    def in_turn(self) -> tuple[KeyLimit, ...]:
        """The keys that may be used now, the one whose turn it is first.

        Raises `NoUsableKey` when there is none or all were refused, `RateLimited` when one of
        them may be used again in a moment.
        """
        per_minute = self._spec.requests_per_minute
        if not self._keys:
            self._refuse_without_key()
            return (KeyLimit(name="", per_minute=per_minute),)
        names = list(self._keys)
        first = self._turn % len(names)
        self._turn += 1
        awake = [n for n in (*names[first:], *names[:first]) if not self._rests(n)]
        if not awake:
            self._tell_why_all_rest()
        return tuple(KeyLimit(name=name, per_minute=per_minute) for name in awake)

    def key(self, name: str) -> Key | None:
        """The key of this name; None for the empty one."""
        return self._keys.get(name)

    def has_other_than(self, name: str) -> bool:
        """There is another key, and it may be used now."""
        return any(other != name and not self._rests(other) for other in self._keys)

    def turned_down(self, name: str, error: ModelFailed) -> None:
        """What came of a request with this key: with some errors it rests for a while."""
        rest_s = self._rest_s(error)
        if name in self._keys and rest_s > 0:
            self._resting[name] = _Rest(self._clock() + timedelta(seconds=rest_s), error)

    def _rest_s(self, error: ModelFailed) -> float:
        if isinstance(error, LoginRefused):
            return _REFUSED_S
        if isinstance(error, RateLimited):
            # Who has one key only gains nothing by waiting longer than he was told to.
            alone = len(self._keys) == 1
            return min(error.retry_after_s or (0.0 if alone else _BUSY_S), _LONGEST_S)
        return 0.0

    def _rests(self, name: str) -> bool:
        rest = self._resting.get(name)
        if rest is None or rest.until > self._clock():
            return rest is not None
        del self._resting[name]
        return False

    def _refuse_without_key(self) -> None:
        if self._missing:
            raise NoUsableKey(f"{self._spec.name} has no API key: {self._missing}")
        if self._spec.provider not in _KEYLESS:
            raise NoUsableKey(
                f"{self._spec.name} has no API key: name one in 'keys' under "
                f"[models.{self._spec.name}] in swarm.toml"
            )

    def _tell_why_all_rest(self) -> None:
        soon = min(self._resting.values(), key=lambda rest: rest.until)
        busy = [r.until for r in self._resting.values() if isinstance(r.why, RateLimited)]
        if not busy:
            raise NoUsableKey(str(soon.why))
        left_s = (min(busy) - self._clock()).total_seconds()
        raise RateLimited(str(soon.why), retry_after_s=max(left_s, 0.0))
