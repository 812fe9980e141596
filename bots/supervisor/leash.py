"""Dying with one's parent: Linux's parent-death signal, for children we fork and for programs we
start.

Run as a script with ``become PARENT_PID PROGRAM ARG…`` it becomes PROGRAM in its own process group,
on the leash of PARENT_PID. A shim of its own, because code between fork and exec in a process with
threads may deadlock. Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent_pid: int) -> None:
    """Have the kernel send SIGKILL to this process when `parent_pid`, its present parent, dies.

    Elsewhere than on Linux this does nothing: there the pipe's end of file is what ends an orphan.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have died before the call: then nobody will ever send the signal.
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def leashed(program: list[str], *, changes_user: bool = False) -> list[str]:
    """The command that starts `program` on the leash of the calling process.

    A program that changes its user loses the parent-death signal (prctl(2)): for such a one the
    shim stays as its guard and ends the whole process group when its own standard input, a pipe of
    the caller's, ends.
    """
    mode = "guard" if changes_user else "become"
    return [sys.executable, "-S", "-E", __file__, mode, str(os.getpid()), *program]


def main() -> None:
    mode, parent_pid, program = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    os.setsid()
    if mode == "become":
        die_with(parent_pid)
        os.execvp(program[0], program)  # noqa: S606 no shell is wanted
    _guard(program)


def _guard(program: list[str]) -> None:
    pid = os.fork()
    if pid == 0:
        os.execvp(program[0], program)  # noqa: S606 no shell is wanted
    with os.fdopen(os.pidfd_open(pid), "rb", buffering=0) as ended:
        readable, _, _ = select.select([sys.stdin, ended], [], [])
        if ended not in readable:
            os.killpg(0, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()
