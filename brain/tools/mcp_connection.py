"""One MCP server as one agent uses it: started when it is needed, started again when it fails.

A connection's library must be entered and left by one task, so each life of a server has a task of
its own; turns only call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
import mcp_types
from mcp import Client, MCPError

from brain.errors import Refused, ToolError
from brain.tools.mcp_http import over_http
from brain.tools.mcp_life import Life
from brain.tools.mcp_stdio import start
from brain.tools.mcp_translation import text_of
from brain.tools.registry import ToolResult
from storage.acts import Act, Permit

#: tools of one server that are looked at
MOST_TOOLS = 64
#: pages of a list of tools
_MOST_PAGES = 20
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
#: how long a program may take to leave when it is asked to, and what is left of a life to be gone
_GRACE_S = 1.0
_FAREWELL_S = 5.0
#: what goes wrong between us and a server, beside its own errors
_BROKEN = (
    OSError,
    MCPError,
    httpx2.HTTPError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    # a command that cannot be, an answer that is none
    ValueError,
    # the library's word for what it did not expect
    RuntimeError,
)


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """One MCP server; its name is what agents' allow-lists refer to."""

    name: str
    #: the program and its arguments
    command: tuple[str, ...] = ()
    #: or where it listens
    url: str = ""
    #: everything that the program's environment holds
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: the command makes a process group of its own and dies with us
    is_leashed: bool = False
    start_timeout_s: float = 20.0
    call_timeout_s: float = 60.0


class Connection:
    """`permit` asks the guard, `monotonic` reads seconds, `tell` is told of each new trouble."""

    def __init__(
        self,
        spec: ServerSpec,
        agent: str,
        permit: Callable[[Act], Awaitable[Permit]],
        monotonic: Callable[[], float],
        tell: Callable[[str, str], None],
    ) -> None:
        self.spec = spec
        #: as it listed them when it was last started
        self.tools: tuple[mcp_types.Tool, ...] = ()
        #: why it could not be used, in one sentence; empty while all is well
        self.trouble = ""
        #: that is the guard's no, and none of its own
        self.is_refused = False
        self._agent = agent
        self._permit = permit
        self._monotonic = monotonic
        self._tell = tell
        self._life: Life | None = None
        self._lives: set[asyncio.Task[None]] = set()
        #: questions under way, some of which nobody waits for any more
        self._asked: set[asyncio.Future[Any]] = set()
        self._pause_s = 0.0
        self._not_before_s = float("-inf")

    def start(self) -> None:
        """Start it unless it is there, or failed a moment ago; returns at once."""
        with suppress(ToolError):
            self._living()

    async def wake(self, patience_s: float) -> None:
        """Start it unless it is there; what takes longer than `patience_s` goes on. Raises
        `ToolError`.
        """
        life = self._living()
        await asyncio.wait({life.ready}, timeout=patience_s)
        if life.ready.done():
            life.ready.result()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """What the tool `name` says; raises `ToolError`. Cancelling it ends the server's program
        unless another call is at work there.
        """
        life = self._living()
        session = (await self._started(life)).session
        # A task of its own: when we are cancelled the program goes first, politeness later.
        asked = asyncio.create_task(session.call_tool(name, dict(arguments)))
        self._asked.add(asked)
        asked.add_done_callback(self._looked_at)
        life.calls += 1
        try:
            await asyncio.wait({asked}, timeout=self.spec.call_timeout_s)
            if asked.done():
                return self._read(asked, life)
            self._ails(f"it took longer than {self.spec.call_timeout_s:g} s")
            life.end()
            raise ToolError(f"{self._told} It is started again when it is needed.")
        finally:
            life.calls -= 1
            if not asked.done():
                if life.calls == 0 and life.child is not None:
                    life.end()
                asked.cancel()

    def kill(self) -> None:
        """End its program and whatever it started, at once; it may be started again."""
        if self._life is not None:
            self._life.end()

    async def close(self) -> None:
        """Ask it to leave, end it if it does not, and wait until everything is gone."""
        life = self._life
        if life is not None and life.child is not None and not life.ending.is_set():
            life.child.ask_to_leave()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await life.ending.wait()
        self.kill()
        if self._lives:
            _, left = await asyncio.wait(self._lives, timeout=_FAREWELL_S)
            for task in left:
                task.cancel()

    @property
    def _told(self) -> str:
        return f"The MCP server {self.spec.name} cannot be used: {self.trouble or 'it ended'}."

    def _read(self, asked: asyncio.Task[mcp_types.CallToolResult], life: Life) -> ToolResult:
        try:
            result = asked.result()
        except MCPError as error:
            if error.code == mcp_types.CONNECTION_CLOSED:
                raise self._lost(life) from error
            return ToolResult(text=error.message, is_error=True)
        except RuntimeError as error:
            # The library's word that the answer is not what the tool promised.
            return ToolResult(text=str(error), is_error=True)
        except _BROKEN as error:
            raise self._lost(life) from error
        return ToolResult(text=text_of(result), is_error=result.is_error)

    def _lost(self, life: Life) -> ToolError:
        self._ails(life.child.told if life.child is not None else "it is gone")
        life.end()
        return ToolError(f"{self._told} It is started again when it is needed.")

    def _looked_at(self, future: asyncio.Future[Any]) -> None:
        """Whoever waits is told; where nobody waits any more, nothing is left to say."""
        self._asked.discard(future)
        if not future.cancelled():
            future.exception()

    def _living(self) -> Life:
        """The present life, or a new one; raises `ToolError` while the last failure is too near."""
        life = self._life
        if life is not None and not life.ending.is_set():
            return life
        left_s = self._not_before_s - self._monotonic()
        if left_s > 0:
            raise ToolError(f"{self._told} It is tried again in {left_s:.0f} s.")
        loop = asyncio.get_running_loop()
        life = self._life = Life(loop.create_future())
        life.ready.add_done_callback(self._looked_at)
        life.limit = loop.call_later(self.spec.start_timeout_s, self._too_late, life)
        life.task = asyncio.create_task(self._live(life), name=f"mcp {self.spec.name}")
        self._lives.add(life.task)
        life.task.add_done_callback(self._lives.discard)
        return life

    async def _started(self, life: Life) -> Client:
        await asyncio.wait({life.ready})
        return life.ready.result()

    def _too_late(self, life: Life) -> None:
        if not life.ready.done():
            self._failed("it did not start in time")
            life.end()

    async def _live(self, life: Life) -> None:
        try:
            async with self._connected(life) as client:
                self.tools = await self._listed(client)
                self.trouble, self.is_refused, self._pause_s = "", False, 0.0
                life.ready.set_result(client)
                await life.ending.wait()
        except Refused as refused:
            self.trouble, self.is_refused = f"it may not be started, for {refused.reason}", True
        except (*_BROKEN, ExceptionGroup) as error:
            # What ends a life that was ready is told to those who call.
            if not life.ready.done():
                self._failed(_why(life, error))
        finally:
            life.ending.set()
            if life.limit is not None:
                life.limit.cancel()
            if not life.ready.done():
                life.ready.set_exception(ToolError(self._told))

    def _ails(self, trouble: str) -> None:
        is_news = trouble != self.trouble
        self.trouble, self.is_refused = trouble, False
        if is_news:
            self._tell(self.spec.name, trouble)

    def _failed(self, trouble: str) -> None:
        self._ails(trouble)
        self._pause_s = min(max(_FIRST_PAUSE_S, 2 * self._pause_s), _LONGEST_PAUSE_S)
        self._not_before_s = self._monotonic() + self._pause_s

    @asynccontextmanager
    async def _connected(self, life: Life) -> AsyncIterator[Client]:
        spec = self.spec
        verb = "run" if spec.command else "connect"
        permit = await self._permit(
            Act(
                agent=self._agent,
                verb=verb,
                target=f"mcp:{spec.name}",
                reason="its tools are configured for this agent",
                trace_id="mcp",
            )
        )
        if spec.command:
            child = life.child = await start(
                spec.name,
                spec.command,
                spec.environment,
                permit,
                is_leashed=spec.is_leashed,
                now_s=self._monotonic(),
            )
            transport: AbstractAsyncContextManager[Any] = child.talk(on_end=life.ending.set)
        else:
            permit.check(verb, f"mcp:{spec.name}", now_s=self._monotonic())
            transport = over_http(spec.url)
        info = mcp_types.Implementation(name="parley", version="1")
        async with Client(transport, client_info=info, cache=None) as client:
            yield client

    async def _listed(self, client: Client) -> tuple[mcp_types.Tool, ...]:
        tools: list[mcp_types.Tool] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            params = mcp_types.PaginatedRequestParams(cursor=cursor)
            page = await client.session.list_tools(params=params)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None or len(tools) >= MOST_TOOLS:
                break
        return tuple(tools[:MOST_TOOLS])


def _why(life: Life, error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if life.child is not None:
        return life.child.told
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return f"it cannot be started ({error.strerror or type(error).__name__})"
    return f"it does not answer ({type(error).__name__})"
