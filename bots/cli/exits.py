"""Exit codes of the command line, for scripts. They are part of `--help` and do not change."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    #: done
    OK = 0
    #: tried and failed; the last line on standard error says why
    FAILED = 1
    #: the command line, or a file it names, cannot be understood
    USAGE = 2
    #: the command needs a running swarm, and none runs from this state folder
    NOT_RUNNING = 3
    #: the kill latch is set: the swarm does nothing before `resume`
    KILLED = 4
    #: a swarm runs from this state folder already
    ALREADY_RUNNING = 5
    #: what was handed over is not done within the time that one was willing to wait
    UNFINISHED = 6
    #: stopped by Ctrl-C, after everything it started was ended
    INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot go on; `message` is printed on standard error, without a traceback."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
