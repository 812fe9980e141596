"""API keys as they are now: the supervisor reads their references anew for an agent that was
refused.

Nobody here makes a new key: whoever mends a file or a keyring entry (a person, or the vendor's own
tool) is followed without a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bots.control.door import Unavailable
from brain.models.provider import Key


class Supervised:
    """A `brain.models.refreshing.Login` by way of the supervisor; `ask` reaches it, `hide` is told
    of each key before anybody uses it.
    """

    def __init__(
        self, ask: Callable[[dict[str, Any]], Awaitable[str]], hide: Callable[[str], None]
    ) -> None:
        self._ask = ask
        self._hide = hide

    async def read(self, name: str) -> Key | None:
        try:
            value = await self._ask({"please": "key", "reference": name})
        except Unavailable:
            return None
        if not value:
            return None
        self._hide(value)
        return Key(name=name, value=value)

    async def renew(self, key: Key) -> Key | None:
        """No: what is kept where `read` finds it has been read by then, and nobody makes more."""
        return None
