"""MCP servers that die, hang, never start, say too much; and what is left when a turn is ended."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from bots.supervisor.leash import leashed
from brain.errors import ToolError
from brain.tools.mcp import ServerSpec
from storage.latch import Latch
from tests.integration.brain.mcp_stage import (
    PROGRAM,
    STDIO,
    Serve,
    pids_of,
    serve,
    tools,
    use,
    written,
)
from tests.integration.brain.stage import NOW, Brain

__all__ = ["serve"]


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def over_http(port: int, how: str = "http") -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, how, str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class PidFd:
    """Readable when the process has ended; `ProcessLookupError` when there is none."""

    def __init__(self, pid: int) -> None:
        self.number = os.pidfd_open(pid)

    def close(self) -> None:
        os.close(self.number)


async def gone(*pids: int) -> None:
    """Returns when no process of these ids runs any more."""
    loop = asyncio.get_running_loop()
    for pid in pids:
        with suppress(ProcessLookupError), closing(PidFd(pid)) as process:
            ended = asyncio.Event()
            loop.add_reader(process.number, ended.set)
            try:
                async with asyncio.timeout(20):
                    await ended.wait()
            finally:
                loop.remove_reader(process.number)


async def test_a_result_of_ten_megabytes_arrives_and_a_larger_message_ends_the_server(
    brain: Brain, serve: Serve
) -> None:
    found = await tools(serve())
    assert len((await use(brain, found["odd__big"], characters=10_485_760)).text) == 10_485_760
    with pytest.raises(ToolError, match=r"a message of more than 16 MiB\. It is started again"):
        await use(brain, found["odd__big"], characters=20_000_000)
    assert (await use(brain, found["odd__add"], one=1, other=1)).text == "2"


async def test_a_server_that_dies_is_a_sentence_and_is_started_again(
    brain: Brain, serve: Serve
) -> None:
    servers = serve()
    found = await tools(servers)
    before = (await use(brain, found["odd__pid"])).text
    with pytest.raises(ToolError, match=r"server odd cannot be used: it ended with status 3"):
        await use(brain, found["odd__die"], status=3)
    assert "it ended" in servers.troubles["odd"]
    after = (await use(brain, found["odd__pid"])).text
    assert before != after
    assert "odd" not in servers.troubles


async def test_a_server_that_hangs_is_ended_with_its_children_and_started_again(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    servers = serve(call_timeout_s=1.0)
    found = await tools(servers)
    marker = tmp_path / "pids"
    with pytest.raises(ToolError, match=r"it took longer than 1 s\. It is started again"):
        await use(brain, found["odd__hang"], marker=str(marker))
    await gone(*await pids_of(marker))
    assert (await use(brain, found["odd__add"], one=1, other=1)).text == "2"


async def test_cancelling_a_call_ends_the_program_and_its_children_at_once(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    found = await tools(serve())
    marker = tmp_path / "pids"
    call = asyncio.create_task(use(brain, found["odd__hang"], marker=str(marker)))
    pids = await pids_of(marker)
    began_s = time.monotonic()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await gone(*pids)
    # 50 ms are promised; a machine that runs eight suites at once is given more.
    assert time.monotonic() - began_s < 1


async def test_a_call_that_is_cancelled_leaves_another_ones_server_alone(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    found = await tools(serve())
    marker = tmp_path / "pids"
    other = asyncio.create_task(use(brain, found["odd__rest"], seconds=1.0))
    hanging = asyncio.create_task(use(brain, found["odd__hang"], marker=str(marker)))
    await pids_of(marker)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert (await other).text == "rested"


async def test_killing_and_closing_leave_no_process(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    servers = serve()
    found = await tools(servers)
    pid = int((await use(brain, found["odd__pid"])).text)
    marker = tmp_path / "pids"
    hanging = asyncio.create_task(use(brain, found["odd__hang"], marker=str(marker)))
    pids = await pids_of(marker)
    servers.kill()
    await gone(pid, *pids)
    with pytest.raises(ToolError, match="cannot be used"):
        await hanging
    # After a kill comes a resume: the next call starts it again, and closing ends it for good.
    again = int((await use(brain, found["odd__pid"])).text)
    await servers.close()
    await gone(again)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("/nowhere/to/be/found",), "it cannot be started (No such file or directory)"),
        ((sys.executable, "-c", "raise SystemExit(7)"), "it ended with status 7"),
        ((sys.executable, "-c", "print('no json')"), "it ended"),
    ],
)
async def test_a_program_that_does_not_start_is_told_and_tried_again_later(
    serve: Serve, command: tuple[str, ...], sentence: str
) -> None:
    servers = serve(command=command)
    async with asyncio.timeout(10):
        while not servers.troubles:
            assert await servers.tools() == ()
    assert servers.troubles["odd"].startswith(sentence)
    connection = servers._connections[0]
    with pytest.raises(ToolError, match=r"cannot be used: .* It is tried again in 1 s\."):
        await connection.call("add", {})


async def test_a_program_that_never_speaks_does_not_start(serve: Serve) -> None:
    servers = serve(command=("sleep", "600"), start_timeout_s=0.3)
    with pytest.raises(ToolError, match="it did not start in time"):
        await servers._connections[0].call("add", {})
    life = servers._connections[0]._life
    assert life is not None
    assert life.child is not None
    await gone(life.child.pid)


async def test_a_program_that_never_speaks_is_told_without_a_call(serve: Serve) -> None:
    told: list[tuple[str, str]] = []
    heard = asyncio.Event()

    def tell(where: str, why: str) -> None:
        told.append((where, why))
        heard.set()

    servers = serve(command=("sleep", "600"), start_timeout_s=0.3, tell=tell)
    assert servers.trouble == ""
    servers.start()
    async with asyncio.timeout(20):
        await heard.wait()
    assert servers.trouble == "MCP odd: it did not start in time"
    # It is not waited for long again, and is no news a second time.
    assert await servers.tools() == ()
    assert told == [("odd", "it did not start in time")]


async def test_the_first_turn_waits_for_a_server_that_takes_its_time(serve: Serve) -> None:
    late = f"import time, runpy, sys; time.sleep(3); sys.argv = [{PROGRAM!r}, 'stdio']; "
    late += f"runpy.run_path({PROGRAM!r}, run_name='__main__')"
    servers = serve(command=(sys.executable, "-c", late))
    assert "odd__add" in {tool.name for tool in await servers.tools()}
    assert servers.trouble.startswith("MCP odd.sprawling: its schema has")


async def test_what_is_mended_is_no_trouble_any_more(brain: Brain, serve: Serve) -> None:
    told: list[str] = []
    servers = serve(allowed=("odd.die", "odd.add"), tell=lambda _, why: told.append(why))
    found = await tools(servers)
    for _ in range(2):
        with pytest.raises(ToolError, match="it ended with status 3"):
            await use(brain, found["odd__die"], status=3)
        assert servers.trouble == "MCP odd: it ended with status 3"
        assert (await use(brain, found["odd__add"], one=1, other=1)).text == "2"
        assert servers.trouble == ""
    assert told == ["it ended with status 3"] * 2


async def test_a_killed_agent_starts_no_server(brain: Brain, serve: Serve) -> None:
    brain.latch = Latch("all", True, "olga", "irc", "enough", NOW)
    servers = serve()
    assert await servers.tools() == ()
    assert "it may not be started, for " in servers.troubles["odd"]
    assert "olga" in servers.troubles["odd"]
    # That is the agent's state, and no server's fault.
    assert servers.trouble == ""
    brain.latch = None
    assert await tools(servers)


async def test_a_leashed_program_is_ended_with_its_children_too(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    servers = serve(command=tuple(leashed(list(STDIO))), is_leashed=True)
    found = await tools(servers)
    marker = tmp_path / "pids"
    call = asyncio.create_task(use(brain, found["odd__hang"], marker=str(marker)))
    pids = await pids_of(marker)
    assert os.getpgid(pids[1]) == pids[0] != os.getpgid(0)
    call.cancel()
    await gone(*pids)


async def test_a_server_over_http_is_used_lost_and_found_again(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    at = ServerSpec(name="web", url=f"http://127.0.0.1:{port}/mcp", call_timeout_s=20.0)
    servers = serve(at, allowed=("web",))
    async with over_http(port):
        found = await tools(servers)
        assert (await use(brain, found["web__add"], one=1, other=1)).text == "2"
        assert len((await use(brain, found["web__big"], characters=10_485_760)).text) == 10_485_760
    with pytest.raises(ToolError, match="The MCP server web cannot be used"):
        await use(brain, found["web__add"], one=1, other=1)
    async with over_http(port):
        async with asyncio.timeout(20):
            while True:
                with suppress(ToolError):
                    assert (await use(brain, found["web__add"], one=2, other=2)).text == "4"
                    break
                await asyncio.sleep(0.05)
        marker = tmp_path / "marker"
        call = asyncio.create_task(use(brain, found["web__wait"], marker=str(marker)))
        await written(marker, "waiting")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await written(marker, "told to stop")


async def test_an_answer_without_end_over_http_is_broken_off(brain: Brain, serve: Serve) -> None:
    port = free_port()
    at = ServerSpec(name="web", url=f"http://127.0.0.1:{port}/mcp", call_timeout_s=20.0)
    servers = serve(at, allowed=("web",))
    async with over_http(port, "http-whole"):
        found = await tools(servers)
        assert len((await use(brain, found["web__big"], characters=1_000_000)).text) == 1_000_000
        with pytest.raises(ToolError, match="The MCP server web cannot be used"):
            await use(brain, found["web__big"], characters=20_000_000)
        assert (await use(brain, found["web__add"], one=1, other=1)).text == "2"


async def test_a_dead_servers_child_does_not_keep_a_call_waiting(
    brain: Brain, serve: Serve, tmp_path: Path
) -> None:
    found = await tools(serve())
    marker = tmp_path / "pid"
    with pytest.raises(ToolError, match="it ended with status 0"):
        await use(brain, found["odd__orphan"], marker=str(marker))
    await gone(*await pids_of(marker))


async def test_nobody_listens_where_a_server_should(serve: Serve) -> None:
    at = ServerSpec(name="web", url=f"http://127.0.0.1:{free_port()}/mcp")
    servers = serve(at, allowed=("web",))
    assert await servers.tools() == ()
    assert servers.troubles["web"].startswith("it does not answer")
