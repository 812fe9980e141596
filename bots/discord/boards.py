"""How far runs of workflows are, each in one message on Discord that is edited as it goes on."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import discord
from discord.http import MultipartParameters
from structlog.typing import FilteringBoundLogger

from bots.discord.refusals import FAILURES, refused, sentence
from bots.discord.speech import Unsayable
from bots.discord.transport import DiscordTransport
from bots.messages import DISCORD, Target, TargetError
from bots.workflows.telling import board
from brain.errors import Refused
from brain.guard import Guard
from storage import workflows
from storage.acts import Act, Permit
from storage.errors import StorageError
from storage.latch import Latch
from storage.store import Store
from storage.workflow_states import FINAL
from storage.workflow_tables import WorkflowRun

_LOOK_EVERY_S: Final = 5.0
#: one message is not edited more often
_EDIT_EVERY_S: Final = 2.0
#: what Discord refused is tried again after this long
_REFUSED_S: Final = 60.0
#: what ended longer ago is shown as it is
_PAST: Final = timedelta(hours=1)
_UNKNOWN_MESSAGE: Final = 10008
_SUPPRESS_EMBEDS: Final = 4


class Boards:
    """The captain's; `run` keeps them as the store says."""

    def __init__(
        self,
        transport: DiscordTransport,
        store: Store,
        guard: Guard,
        agent: str,
        *,
        latch: Callable[[], Latch | None],
        redact: Callable[[str], str],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._transport = transport
        self._store = store
        self._guard = guard
        self._agent = agent
        self._latch = latch
        self._redact = redact
        self._clock = clock
        self._log = log
        #: run → monotonic seconds before which its message is left alone
        self._later: dict[str, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            is_live = False
            try:
                is_live = await self.look()
            except StorageError as error:
                self._log.warning("boards.unreadable", error=str(error))
            await asyncio.sleep(_EDIT_EVERY_S if is_live else _LOOK_EVERY_S)

    async def look(self) -> bool:
        """Bring every message up to date, as far as Discord lets us; whether some run is under way.
        Raises `StorageError`.
        """
        if self._latch() is not None or not self._transport.health.connected:
            return False
        since = self._clock() - _PAST
        runs = await self._store.read(lambda unit: workflows.shown_on(unit, DISCORD, since))
        for run in runs:
            if self._later.get(run.code, 0.0) <= time.monotonic():
                await self._show(run)
        return any(run.state not in FINAL for run in runs)

    async def _show(self, run: WorkflowRun) -> None:
        assert run.id is not None
        run_id = run.id
        rows = await self._store.read(lambda unit: workflows.tasks(unit, run_id))
        text = self._redact(board(run, rows))
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest == run.board_digest:
            return
        try:
            target = Target.parse(run.board)
            message = await self._tell(run, target, text, await self._permit(run, target, text))
        except (Refused, Unsayable, TargetError) as error:
            self._put_off(run, str(error))
            return
        except FAILURES as error:
            gone = isinstance(error, discord.HTTPException) and error.code == _UNKNOWN_MESSAGE
            if not gone:
                self._put_off(run, sentence(error))
                return
            # A guild that began anew does not have it, or somebody deleted it: another one, unless
            # all has been told.
            message, digest = ("", "") if run.state not in FINAL else (run.board_id, digest)
        await self._store.write(lambda unit: workflows.note_board(unit, run_id, message, digest))
        self._later.pop(run.code, None)

    async def _tell(self, run: WorkflowRun, target: Target, text: str, permit: Permit) -> str:
        """Post or edit; the message's id. Raises `Unsayable`."""
        speech = self._transport.speech
        client, channel = await speech.channel(target)
        if why := speech.objection(target, permit):
            raise Unsayable(refused(why))
        payload: dict[str, Any] = {
            "content": text,
            "allowed_mentions": {"parse": []},
            "flags": _SUPPRESS_EMBEDS,
        }
        if run.board_id:
            message = int(run.board_id)
            edited = MultipartParameters(payload=payload, multipart=None, files=None)
            await speech.leave(
                permit, lambda: client.http.edit_message(channel, message, params=edited)
            )
            return run.board_id
        # With its nonce, what was posted by a process that died is not posted again.
        nonce = {"nonce": f"workflow.{run.id}.{run.epoch}", "enforce_nonce": True}
        posted = MultipartParameters(payload=payload | nonce, multipart=None, files=None)
        said = await speech.leave(permit, lambda: client.http.send_message(channel, params=posted))
        return str(said["id"])

    async def _permit(self, run: WorkflowRun, target: Target, text: str) -> Permit:
        act = Act(
            agent=self._agent,
            verb="send",
            target=str(target),
            reason=f"{run.code} is {run.state}",
            trace_id=run.trace_id,
            details={"run": run.code, "sha256": hashlib.sha256(text.encode()).hexdigest()},
        )
        return await self._guard.permit(act)

    def _put_off(self, run: WorkflowRun, why: str) -> None:
        self._later[run.code] = time.monotonic() + _REFUSED_S
        self._log.warning("board.not_shown", code=run.code, why=why)
