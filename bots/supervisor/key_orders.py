"""What people may order about keys through the supervisor's door, while the swarm is up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bots.control.door import BadRequest, Body, Steer, Unavailable, words_of
from bots.keys.desk import KeyDesk, Made
from bots.keys.keystore import KeyRefused
from bots.keys.master import MasterUnavailable
from bots.keys.showing import made_as_json, revoked_as_json
from bots.supervisor.handing import Handing
from storage.errors import StorageError


class KeyOrders:
    def __init__(self, desk: KeyDesk, handing: Handing) -> None:
        self._desk = desk
        self._handing = handing

    def routes(self) -> dict[tuple[str, str], Steer]:
        """See `bots.control.door`. Agents that run here have what changed when it answers, or else
        as soon as the store answers again.
        """
        return {
            ("POST", "/control/keys/create"): self._create,
            ("POST", "/control/keys/rotate"): self._rotate,
            ("POST", "/control/keys/revoke"): self._revoke,
        }

    async def _create(self, body: Body) -> Body:
        with _told():
            made = await self._desk.create(words_of(body, "sender"), _by(body))
        return await self._handed(made)

    async def _rotate(self, body: Body) -> Body:
        with _told():
            made = await self._desk.rotate(words_of(body, "owner"), _by(body))
        return await self._handed(made)

    async def _revoke(self, body: Body) -> Body:
        key, reason = words_of(body, "key"), words_of(body, "reason", "")
        with _told():
            revoked = await self._desk.revoke(key, _by(body), reason)
        # The rows say so, so it holds; that agents get new keys may wait.
        self._handing.wake()
        return revoked_as_json(revoked)

    async def _handed(self, made: Made) -> Body:
        """What to answer. The key is made: its secret is told this once, whatever happens."""
        try:
            await self._handing.look()
        except StorageError:
            self._handing.wake()
        return made_as_json(made, self._desk.keystore.clock())


def _by(body: dict[str, Any]) -> str:
    return words_of(body, "by", "the holder of the control token")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except KeyRefused as error:
        raise BadRequest(str(error)) from None
    except (MasterUnavailable, StorageError) as error:
        raise Unavailable(str(error)) from error
