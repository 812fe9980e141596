"""What one look found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: works, but a person should know
    WARN = "warn"
    #: does not work, or is not safe
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    #: what was looked at, in a word or two
    about: str
    level: Level
    #: what was found, in a sentence; never a secret
    says: str
    #: what to do about it; empty when all is well
    mend: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(about, Level.OK, says)


def warn(about: str, says: str, mend: str) -> Finding:
    return Finding(about, Level.WARN, says, mend)


def fail(about: str, says: str, mend: str) -> Finding:
    return Finding(about, Level.FAIL, says, mend)
