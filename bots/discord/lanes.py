"""Lines of one channel stay in order, though one of them waits for a download; other channels do
not wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial

from bots.messages import Heard

#: more lines than this do not wait for what is attached to them
_MOST_WAITING = 200


class _Waiting:
    def __init__(self, line: Heard) -> None:
        self.line = line
        self.is_complete = True


class Lanes:
    """`take` every line; each comes out of `deliver` once, in the order of its channel."""

    def __init__(self, deliver: Callable[[Heard], None]) -> None:
        self._deliver = deliver
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[str]] = set()

    def take(self, line: Heard, more: Coroutine[None, None, str] | None = None) -> None:
        """`more` gives what belongs below the line's text; it ends by itself and never raises."""
        key = str(line.where)
        lane = self._lanes.get(key)
        if more is None and not lane:
            self._deliver(line)
            return
        lane = self._lanes.setdefault(key, deque())
        waiting = _Waiting(line)
        lane.append(waiting)
        if more is not None and len(lane) <= _MOST_WAITING:
            waiting.is_complete = False
            task = asyncio.get_running_loop().create_task(more)
            self._tasks.add(task)
            task.add_done_callback(partial(self._completed, key, waiting))
        elif more is not None:
            more.close()
        self._drain(key)

    async def settled(self) -> None:
        """Wait until nothing is waiting for a download."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def close(self) -> None:
        """Deliver what waits, without what is attached."""
        for task in list(self._tasks):
            task.cancel()
        for key in list(self._lanes):
            for waiting in self._lanes[key]:
                waiting.is_complete = True
            self._drain(key)

    def _completed(self, key: str, waiting: _Waiting, task: asyncio.Task[str]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is None and (text := task.result()):
            text = f"{waiting.line.text}\n{text}" if waiting.line.text else text
            waiting.line = replace(waiting.line, text=text)
        waiting.is_complete = True
        self._drain(key)

    def _drain(self, key: str) -> None:
        lane = self._lanes.get(key)
        while lane and lane[0].is_complete:
            self._deliver(lane.popleft().line)
        if not lane:
            self._lanes.pop(key, None)
