"""A program that speaks MCP on its standard streams: one JSON-RPC message a line.

Our own transport, for the library's gives a server seconds to leave and reads lines of any length.
Here the whole process group is ended at once, and a line is bounded. Source: the transports page of
the Model Context Protocol's specification.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from storage.acts import Permit

#: longest message of a server; what is longer ends it
MOST_BYTES = 16 * 1024 * 1024
#: how long a killed program may take to be gone
_GONE_S = 2.0
#: how long the last words of a program that has ended may take to be read
_LAST_WORDS_S = 0.5

Incoming = MemoryObjectSendStream[SessionMessage | Exception]
Outgoing = MemoryObjectReceiveStream[SessionMessage]
Streams = tuple[
    MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]
]


class Child:
    """The running program, leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        #: its number may be another process's by now
        self._is_gone = False
        #: why we ended it, in one sentence
        self.trouble = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def told(self) -> str:
        """How it ended, for people."""
        status = self._process.returncode
        return self.trouble or ("it ended" if status is None else f"it ended with status {status}")

    def ask_to_leave(self) -> None:
        """The end of its input, which the specification has for a goodbye."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """End it and everything it started that stayed in its group; returns at once."""
        if self._is_gone:
            return
        try:
            # The group is its own even when the leader is gone and others live on in it.
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            # Between fork and the leash's setsid there is no such group yet. Not by the process's
            # own method: that would look whether it has ended, and take its status from who waits.
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
        except PermissionError:
            # It runs as somebody else by now; the end of its input is all that we can give it.
            self.ask_to_leave()

    @asynccontextmanager
    async def talk(self, on_end: Callable[[], None]) -> AsyncIterator[Streams]:
        """Its messages and ours, as the library's sessions want them; kills it at the end. `on_end`
        is called when it says no more.
        """
        heard_in, heard_out = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        said_in, said_out = anyio.create_memory_object_stream[SessionMessage](0)
        pipes = [
            asyncio.create_task(self._hear(heard_in)),
            asyncio.create_task(self._say(said_out)),
        ]
        pipes[0].add_done_callback(lambda _: on_end())
        leave = self._watch()
        try:
            yield heard_out, said_in
        finally:
            leave()
            self.kill()
            for pipe in pipes:
                pipe.cancel()
            for stream in (heard_in, heard_out, said_in, said_out):
                stream.close()
            await asyncio.gather(*pipes, return_exceptions=True)
            await self._gone(_GONE_S)
            self._is_gone = True

    def _watch(self) -> Callable[[], None]:
        """A server that has ended says no more, whichever of its children holds its output open.
        What is given ends the watch.
        """
        loop = asyncio.get_running_loop()
        try:
            process = os.pidfd_open(self.pid)
        except ProcessLookupError:
            loop.call_later(_LAST_WORDS_S, self.kill)
            return lambda: None

        def ended() -> None:
            loop.remove_reader(process)
            # What it said last is still to be read.
            loop.call_later(_LAST_WORDS_S, self.kill)

        def leave() -> None:
            loop.remove_reader(process)
            os.close(process)

        loop.add_reader(process, ended)
        return leave

    async def _hear(self, heard: Incoming) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        async with heard:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                while line := await self._line(stdout):
                    await heard.send(_message(line))
                # With what status it ended is known a moment later.
                await self._gone(_LAST_WORDS_S)

    async def _line(self, stdout: asyncio.StreamReader) -> bytes:
        """The next line; empty at the end."""
        try:
            return await stdout.readline()
        except ValueError:
            self.trouble = f"it sent a message of more than {MOST_BYTES // 1024**2} MiB"
        except OSError:
            self.trouble = "its output could not be read"
        self.kill()
        return b""

    async def _say(self, said: Outgoing) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        async with said:
            async for item in said:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                try:
                    stdin.write(f"{text}\n".encode())
                    await stdin.drain()
                except OSError:
                    # It does not listen any more; what we wait for would never come.
                    self.kill()
                    return

    async def _gone(self, patience_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._process.wait()


async def start(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    permit: Permit,
    *,
    is_leashed: bool,
    now_s: float,
) -> Child:
    """Start the program of the server `name` with `environment` and nothing else of ours. Raises
    `PermitRefused`, `OSError`. `is_leashed`: the command makes a process group of its own.
    """
    permit.check("run", f"mcp:{name}", now_s=now_s)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # What it complains about may hold what it was told in confidence.
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(environment),
        limit=MOST_BYTES,
        start_new_session=not is_leashed,
    )
    return Child(process)


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError as error:
        # Programs print what is no message, against the specification; the session passes it over.
        return error
    return SessionMessage(message)
