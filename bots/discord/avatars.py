"""The bot's picture: set when it differs from what was set last, never in a hurry."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import discord
from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, sentence
from bots.state import write_private

#: Discord bars for a long time who changes pictures often
_MOST, _WITHIN = 2, timedelta(minutes=10)
#: what could not be shown is tried again after this long
_AGAIN_S = 660.0


@dataclass(frozen=True)
class Missing:
    """Why the bot goes without its picture, in a sentence."""

    why: str
    #: nothing is wrong: a swarm of ours that is started again soon begins with a guild that knows
    #: no pictures, and keeps to Discord's pace all the same
    waits: bool = False


class Avatar:
    """Shows `picture` (a PNG) as the bot's avatar; what was set is remembered in `file`."""

    def __init__(self, picture: Path | None, file: Path, clock: Callable[[], datetime]) -> None:
        self._picture = picture
        self._file = file
        self._clock = clock

    async def show(self, client: discord.Client) -> Missing | None:
        """Set it if need be; None when all is well."""
        if self._picture is None or client.user is None:
            return None
        try:
            data = self._picture.read_bytes()
        except OSError as error:
            return Missing(f"Its picture {self._picture.name} cannot be read ({error.strerror}).")
        wanted = hashlib.sha256(data).hexdigest()
        known, changes = self._known()
        if known == wanted and client.user.avatar is not None:
            return None
        if len(changes) >= _MOST:
            why = "Its picture was changed twice within 10 minutes; another one has to wait."
            return Missing(why, waits=True)
        changes.append(self._clock().timestamp())
        try:
            # Counted before it is tried: a refusal counts at Discord, too.
            self._remember(known, changes)
            image = f"data:image/png;base64,{base64.b64encode(data).decode()}"
            await client.http.edit_profile({"avatar": image})
            self._remember(wanted, changes)
        except FAILURES as error:
            return Missing(f"Its picture was not set: {sentence(error)}.")
        return None

    def _known(self) -> tuple[str, list[float]]:
        try:
            found: Any = json.loads(self._file.read_text(encoding="ascii"))
            sha256, changes = str(found["sha256"]), [float(at) for at in found["changes"]]
        except (OSError, ValueError, LookupError, TypeError):
            return "", []
        begin = (self._clock() - _WITHIN).timestamp()
        return sha256, [at for at in changes if at > begin]

    def _remember(self, sha256: str, changes: list[float]) -> None:
        write_private(self._file, json.dumps({"sha256": sha256, "changes": changes}))


class Picture:
    """Sees to it that a bot wears its `avatar`, in the background: a bot without its picture is as
    well as one with it.
    """

    def __init__(
        self,
        avatar: Avatar,
        client: Callable[[], discord.Client | None],
        log: FilteringBoundLogger,
    ) -> None:
        self.avatar = avatar
        self._client = client
        self._log = log
        #: the looking after it that is under way, or ended
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look after it now; what was begun before ends."""
        self.close()
        self.task = asyncio.get_running_loop().create_task(self._show())

    def close(self) -> None:
        if self.task is not None:
            self.task.cancel()

    async def _show(self) -> None:
        while (client := self._client()) is not None:
            missing = await self.avatar.show(client)
            if missing is None:
                return
            if missing.waits:
                self._log.info("discord_picture_waits", why=missing.why)
            else:
                self._log.warning("discord_picture_missing", why=missing.why)
            await asyncio.sleep(_AGAIN_S)
