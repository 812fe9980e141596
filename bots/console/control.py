"""The supervisor's control door, as the page uses it, and a watch on the swarm's state while a page
is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp

from bots.console import swarm
from bots.console.config import ControlSpec
from bots.console.rest import Refused
from bots.console.swarm import Swarm

_LOOK_EVERY_S = 1.0
#: while a kill is carried out every confirmation counts
_LOOK_CLOSELY_S = 0.05
_STATUS_TIMEOUT = aiohttp.ClientTimeout(total=3)
#: a kill answers when all have confirmed or were ended by force, which takes up to five seconds
_STEER_TIMEOUT = aiohttp.ClientTimeout(total=20)
_AWAY = "The supervisor does not answer. In a terminal on this machine: "


class Control:
    """Kill and resume for an operator, and `swarm`, which is never more hopeful than it knows."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        spec: ControlSpec,
        *,
        clock: Callable[[], datetime],
        on_change: Callable[[], None],
    ) -> None:
        self._http = http
        self._url = spec.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {spec.token}"}
        self._clock = clock
        self._on_change = on_change
        self._look = asyncio.Event()
        #: open pages that want to hear of every change
        self._watchers = 0
        #: kills and resumes that have not answered yet
        self._under_way = 0
        self.swarm = Swarm()

    async def kill(
        self, scope: str, by: str, reason: str, *, force: bool = False
    ) -> Mapping[str, Any]:
        """How it went: see `Report.as_json` of the supervisor. Raises `Refused`.

        With `force` nobody's confirmation is waited for.
        """
        local = f"python3 run.py kill {scope}"
        report = await self._steer("/control/kill", scope, by, reason, local, force=force)
        if scope == "all":
            self._set(replace(self.swarm, report=report))
        return report

    async def resume(self, scope: str, by: str, reason: str) -> None:
        """Raises `Refused` with the door's reason."""
        local = f"python3 run.py resume {scope}"
        await self._steer("/control/resume", scope, by, reason, local)

    async def glance(self) -> None:
        """See to it that `swarm` is of now, also when nobody has been looking."""
        if not self._watchers:
            await self._look_once()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, the state is looked at all the time."""
        self._watchers += 1
        self._look.set()
        try:
            yield
        finally:
            self._watchers -= 1

    async def watch(self) -> None:
        """Look at the state while somebody watches; runs until cancelled."""
        while True:
            self._look.clear()
            if self._watchers:
                await self._look_once()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._look.wait()

    def _pause_s(self) -> float | None:
        if not self._watchers:
            return None
        return _LOOK_CLOSELY_S if self._under_way else _LOOK_EVERY_S

    async def _look_once(self) -> None:
        try:
            async with self._http.get(
                f"{self._url}/status", headers=self._headers, timeout=_STATUS_TIMEOUT
            ) as response:
                response.raise_for_status()
                body = await response.json()
            found = swarm.read(body, report=self.swarm.report, seen_at=self._clock().isoformat())
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
            # what it was is kept to be shown dimmed; that it still is so nobody claims
            found = replace(self.swarm, known=False)
        self._set(found)

    def _set(self, found: Swarm) -> None:
        before, self.swarm = self.swarm, found
        if replace(before, seen_at="") != replace(found, seen_at=""):
            self._on_change()

    async def _steer(
        self, path: str, scope: str, by: str, reason: str, local: str, **more: bool
    ) -> Mapping[str, Any]:
        body = {"scope": scope, "by": by, "door": "console", "reason": reason, **more}
        self._under_way += 1
        self._look.set()
        try:
            async with self._http.post(
                self._url + path, json=body, headers=self._headers, timeout=_STEER_TIMEOUT
            ) as response:
                answer = await response.json()
                if response.status >= 400:
                    raise Refused(_sentence(answer, response.status))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refused(_AWAY + local) from error
        finally:
            self._under_way -= 1
            self._look.set()
        found: Mapping[str, Any] = answer
        return found


def _sentence(answer: Any, status: int) -> str:
    text = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    text = text or f"the control door answered {status}"
    return f"{text[:1].upper()}{text[1:]}."
