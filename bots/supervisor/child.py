"""One agent as the supervisor sees it: born from the fork server, watched by pidfd and pipe, born
again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.lifeline import Lifeline, Message
from bots.secrets import SecretError
from bots.supervisor.backoff import Backoff
from bots.supervisor.nursery import Birth, Nursery, NurseryClosed
from storage.errors import LeaseLost, StorageError
from storage.tables import AgentState

HUNG_AFTER_S = 5.0
DEAD_AFTER_S = 15.0
_RETRY_S = 1.0
#: how soon an agent is taken over whose other supervisor is gone
_LEASE_RETRY_S = 3.0
_REAPED_WITHIN_S = 0.5


class Child:
    """Keeps one agent alive until `stop`. State changes are told through `on_state`."""

    def __init__(
        self,
        name: str,
        *,
        nursery: Callable[[], Awaitable[Nursery]],
        prepare: Callable[[str], Awaitable[dict[str, Any]]],
        backoff: Backoff,
        on_birth: Callable[[Child], None],
        on_state: Callable[[Child], None],
        on_request: Callable[[Child, Message], None],
        on_death: Callable[[Child], None],
        log: FilteringBoundLogger,
    ) -> None:
        """`prepare` takes the agent's lease and gives the spec to be born with; it may raise
        `LeaseLost`.
        """
        self.name = name
        self._nursery = nursery
        self._prepare = prepare
        self._backoff = backoff
        self._on_birth = on_birth
        self._on_state = on_state
        self._on_request = on_request
        self._on_death = on_death
        self._log = log
        self._birth: Birth | None = None
        self._lifeline: Lifeline | None = None
        self._last_pid: int | None = None
        self._ended = asyncio.Event()
        self._code_known = asyncio.Event()
        self._restart = asyncio.Event()
        self._stopping = False
        #: this death is ours, not a crash
        self._expected_death = False
        self._pings = 0
        self._heard_at_s = 0.0
        self.state = AgentState.STARTING
        self.reason = ""
        self.nick: str | None = None
        #: name of its bot on Discord
        self.discord: str | None = None
        self.hook_url: str | None = None
        #: its door on loopback; the same where hooks come from nowhere else
        self.door_url: str | None = None
        self.epoch = 0
        self.exit_code: int | None = None

    @property
    def pid(self) -> int | None:
        return self._birth.pid if self._birth else None

    @property
    def hears(self) -> bool:
        """It lives, and its spec is on the way: what is sent now arrives behind it."""
        return self._lifeline is not None

    async def run(self) -> None:
        """Have it born again and again until it is stopped or has crashed too often."""
        while not self._stopping:
            if self.state is not AgentState.FAILED:
                self._change(AgentState.STARTING, self.reason)
            try:
                await self._live()
            except LeaseLost as error:
                # Somebody else runs it; when that one is gone, we do.
                self._change(AgentState.FAILED, str(error))
                await self._wait_for_restart(_LEASE_RETRY_S)
                continue
            except SecretError as error:
                self._change(AgentState.FAILED, str(error))
                await self._wait_for_restart()
                continue
            except (StorageError, NurseryClosed, OSError) as error:
                self._change(AgentState.STARTING, str(error) or "the fork server is starting again")
                await asyncio.sleep(_RETRY_S)
                continue
            if not self._stopping:
                await self._pause()
        self._change(AgentState.STOPPED, "")

    def send(self, message: Message) -> None:
        if self._lifeline is not None:
            self._lifeline.send(message)

    def ping(self, now_s: float) -> None:
        """Ask whether it is alive; called every second. Silence turns into `hung`, then into
        SIGKILL.
        """
        if self._lifeline is None:
            return
        silent_s = now_s - self._heard_at_s
        if silent_s > DEAD_AFTER_S:
            self._log.warning("hung.killed", agent=self.name, silent_s=round(silent_s, 1))
            self.reason = f"did not answer for {DEAD_AFTER_S:.0f} s and was replaced"
            self.kill()
        elif silent_s > HUNG_AFTER_S:
            self._change(AgentState.HUNG, f"has not answered for {silent_s:.0f} s")
        self._pings += 1
        self.send({"ping": self._pings})

    def kill(self, *, expected: bool = False) -> None:
        """SIGKILL, to exactly this process: a pidfd never names another one."""
        self._expected_death = expected
        if self._birth is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._birth.pidfd, signal.SIGKILL)

    def restart(self) -> None:
        """A person wants it anew: forget its crashes, end it if it runs, wake it if it gave up."""
        self._backoff.forget()
        self._restart.set()
        if self._birth is not None:
            self._expected_death = True
            self.send({"stop": True})

    async def stop(self, within_s: float) -> None:
        """Ask it to end in order; SIGKILL after `within_s`."""
        self._stopping = True
        self._restart.set()
        if self._birth is None:
            return
        self._expected_death = True
        self.send({"stop": True})
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            self.kill(expected=True)
            await self._ended.wait()

    def exited(self, pid: int, code: int) -> None:
        """The fork server reaped it; the pidfd tells the death itself."""
        if pid == self._last_pid:
            self.exit_code = code
            self._code_known.set()

    async def _live(self) -> None:
        """One life: from taking the lease to the end of the process."""
        spec = await self._prepare(self.name)
        self._change(AgentState.STARTING, self.reason)
        nursery = await self._nursery()
        ours, theirs = socket.socketpair()
        with theirs:
            self._ended.clear()
            self._code_known.clear()
            self._expected_death = False
            self.exit_code = None
            settings = json.dumps(spec.pop("settings"))
            birth = self._birth = await nursery.spawn(self.name, theirs, settings)
        self._last_pid = birth.pid
        loop = asyncio.get_running_loop()
        self._heard_at_s = loop.time()
        self.epoch = spec["epoch"]
        self._lifeline = await Lifeline.open(ours, self._hear, lambda: None)
        self._lifeline.send(spec)
        self._on_birth(self)
        loop.add_reader(birth.pidfd, self._died, birth)
        self._log.info("born", agent=self.name, pid=birth.pid, epoch=self.epoch)
        await self._ended.wait()

    def _died(self, birth: Birth) -> None:
        asyncio.get_running_loop().remove_reader(birth.pidfd)
        os.close(birth.pidfd)
        self._birth = None
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        self._ended.set()
        self._on_death(self)

    async def _pause(self) -> None:
        """Between two lives: nothing after an ordered death, backoff after a crash, a person's word
        to go on.
        """
        if self._expected_death:
            self.reason = ""
            return
        if self.state is AgentState.FAILED:
            await self._wait_for_restart()
            return
        if not await self._reaped():
            # Nobody reaped it: the fork server died, and every agent with it. That is no crash of
            # this one.
            return
        delay_s = self._backoff.crashed(asyncio.get_running_loop().time())
        code = self.exit_code or 0
        why = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self._log.warning("died", agent=self.name, why=why, again_in_s=delay_s)
        if delay_s is None:
            self._change(AgentState.FAILED, f"gave up after too many crashes; it last {why}")
            await self._wait_for_restart()
            return
        self._change(AgentState.STARTING, self.reason or f"{why}, starting again")
        self._restart.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._restart.wait()

    async def _reaped(self) -> bool:
        """Its exit code has come, which may be a moment after its death."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAPED_WITHIN_S):
                await self._code_known.wait()
        return self._code_known.is_set()

    async def _wait_for_restart(self, within_s: float | None = None) -> None:
        """Wait until a person wants it anew; `within_s` seconds at most, for ever when None."""
        self._restart.clear()
        if not self._stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._restart.wait()
        self.reason = "" if within_s is None else self.reason

    def _hear(self, message: Message) -> None:
        self._heard_at_s = asyncio.get_running_loop().time()
        if "state" in message:
            if self.nick != message.get("nick"):
                self.nick = message.get("nick")
                self._on_state(self)
            self.discord = message.get("discord")
            self.hook_url = message.get("hook_url")
            self.door_url = message.get("door_url")
            self._change(AgentState(message["state"]), message.get("reason", ""))
        if "killed" in message or "please" in message:
            self._on_request(self, message)

    def _change(self, state: AgentState, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._on_state(self)
