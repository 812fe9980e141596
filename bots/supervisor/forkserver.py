"""The fork server: a small process that has everything imported and forks an agent in a few
milliseconds.

It starts no thread and opens no socket; it speaks with the supervisor over one inherited
SOCK_SEQPACKET pair, a JSON object a packet. The supervisor sends ``{"op": "spawn", "name"}`` with
the agent's end of its lifeline as a file descriptor; the fork server answers ``{"op": "spawned",
"name", "pid"}`` with a pidfd (taken before the child can have been reaped, so it can never name a
stranger), and ``{"op": "exited", "name", "pid", "code"}`` later. End of file on the pair ends the
fork server, and with it, by their leash, the agents.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from sqlalchemy.orm import configure_mappers

from bots.agent.process import run
from bots.settings import Settings
from bots.supervisor.holes import plug_holes
from bots.supervisor.leash import die_with
from storage.warming import warm

_PACKET = 1 << 18
#: digest of their JSON → the settings that agents are born with; the newest alone
_known: dict[str, Settings] = {}


def main(control_fd: int, supervisor_pid: int, preload: list[str]) -> None:
    """Serve until the supervisor closes its end. `preload`: modules that only some swarms use,
    ``module:function`` where there is more to do than to import it.
    """
    die_with(supervisor_pid)
    for name in preload:
        load(name)
    # SQLAlchemy does this at the first use of a table: done here it is shared by all (2.5 MiB
    # each).
    configure_mappers()
    warm()
    control = socket.socket(fileno=control_fd)
    wake_read, wake_write = os.pipe()
    for fd in (wake_read, wake_write):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C reaches the whole foreground group; only the supervisor may act on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _keep()
    names: dict[int, str] = {}
    _send(control, {"op": "loaded"})
    while True:
        readable: list[int] = select.select([control_fd, wake_read], [], [])[0]
        if control_fd in readable and not _serve(control, names, (wake_read, wake_write)):
            return
        if wake_read in readable:
            with suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _reap(control, names)


def load(name: str) -> None:
    """Import ``module``, or call ``module:function``."""
    module, _, function = name.partition(":")
    loaded = import_module(module)
    if function:
        getattr(loaded, function)()


def _serve(control: socket.socket, names: dict[int, str], wake: tuple[int, int]) -> bool:
    packet, fds, _, _ = socket.recv_fds(control, _PACKET, 2)
    if not packet:
        return False
    order = json.loads(packet)
    lifeline, sheet = fds
    with os.fdopen(sheet, "rb") as written:
        _learn(order["settings"], written.read)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        for fd in wake:
            os.close(fd)
        _become_agent(order["name"], lifeline, parent, _known.get(order["settings"]))
    os.close(lifeline)
    names[pid] = order["name"]
    pidfd = os.pidfd_open(pid)
    _send(control, {"op": "spawned", "name": order["name"], "pid": pid}, [pidfd])
    os.close(pidfd)
    return True


def _learn(digest: str, read: Callable[[], bytes]) -> None:
    """Understand the settings once: every agent that is forked from now on shares them (1 MiB)."""
    if digest in _known:
        return
    _known.clear()
    # What cannot be understood the agent says itself.
    with suppress(ValueError):
        _known[digest] = Settings.model_validate_json(read())
    _keep()


def _keep() -> None:
    """What there is now stays for good, and in pages of its own."""
    gc.collect()
    plug_holes()
    gc.freeze()


def _become_agent(name: str, lifeline_fd: int, parent: int, settings: Settings | None) -> NoReturn:
    code = 1
    try:
        os.setsid()
        die_with(parent)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        code = run(lifeline_fd, settings)
    except (
        BaseException
    ) as error:  # the outermost frame of this process: nothing may return into the fork server
        sys.stderr.write(f"agent {name}: {error!r}\n")
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _reap(control: socket.socket, names: dict[int, str]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        _send(control, {"op": "exited", "name": names.pop(pid, "?"), "pid": pid, "code": code})


def _send(control: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    # A supervisor that is gone needs no answer: end of file ends us in the next round.
    with suppress(BrokenPipeError, ConnectionResetError):
        socket.send_fds(control, [json.dumps(message).encode()], fds or [])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
