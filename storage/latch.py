"""The kill latch: a file in the state folder and a row in the database; either one kills.

The file needs no database, no network and no other process, so a kill works whatever else is
broken. What cannot be read counts as killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from storage.core import LATCH, insert, run
from storage.errors import LatchUnreadable, StorageError
from storage.unit import Unit

ALL: Final = "all"
#: a kill is heard by many agents at once: within this time it is one kill
_SAME_KILL: Final = timedelta(seconds=2)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Latch:
    #: ``all`` or an agent's name
    scope: str
    killed: bool
    by: str
    door: str
    reason: str
    changed_at: datetime

    @property
    def told(self) -> str:
        """By whom, when and why, as people are told of a kill."""
        when = f"{self.changed_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"killed by {self.by} at {when}" + (f": {self.reason}" if self.reason else "")


UNREADABLE: Final = Latch(ALL, True, "nobody", "file", "unreadable latch", _LONG_AGO)
_CLEAR: Final = Latch(ALL, False, "", "", "", _LONG_AGO)


class LatchFile:
    """The latch as a file. Writers take turns; a reader sees the old content or the new one."""

    def __init__(self, path: Path, *, lock_wait_s: float = 0.5) -> None:
        self.path = path
        self._lock_wait_s = lock_wait_s

    def create(self) -> None:
        """Write a clear latch when there is no file; an existing one stays, readable or not."""
        with self._locked(patient=False):
            if not self.path.exists():
                self._write({ALL: _CLEAR})

    def read(self) -> dict[str, Latch]:
        """Every scope's latch. Raises `LatchUnreadable` when it is missing or makes no sense."""
        try:
            raw = json.loads(self.path.read_text(encoding="utf-8"))
            return _parse(raw)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LatchUnreadable(f"The latch {self.path} cannot be read: {error}.") from error

    def kill(self, scope: str, by: str, door: str, reason: str, now: datetime) -> bool:
        """Latch `scope`; False when it was latched already.

        Who killed first stays written, but a later kill moves `changed_at` on, so that a resume of
        the first one, under way at that moment, does not lift the second (see `resume`). When the
        content cannot be read, everything stays killed and the file becomes readable. When it
        cannot be written (full disk) the file is emptied, which kills everything and lasts. A lock
        that a stopped process holds is not waited for longer than `lock_wait_s`.
        """
        with self._locked(patient=False):
            latches = self._read_or_killed()
            old = latches.get(scope)
            held = old is not None and old.killed and old is not UNREADABLE
            if held and old is not None:
                if abs(now - old.changed_at) < _SAME_KILL:
                    return False
                latches[scope] = replace(old, changed_at=now)
            else:
                latches[scope] = Latch(scope, True, by, door, reason, now)
            try:
                self._write(latches)
            except OSError:
                self._empty()
            return not held

    def resume(
        self,
        scope: str,
        by: str,
        door: str,
        reason: str,
        now: datetime,
        *,
        seen: Mapping[str, Latch] | None = None,
    ) -> bool:
        """Clear `scope`; ``all`` clears every agent's own latch too. False when nothing was killed.

        With `seen`, what `read` gave when the resume was decided, a latch that was set or renewed
        since then stays. Raises `StorageError` when the file cannot be written: it stays killed.
        """
        with self._locked(patient=True):
            latches = self._read_or_killed()
            scopes = set(latches) | {ALL} if scope == ALL else {scope}
            killed = [one for one in scopes if one in latches and latches[one].killed]
            if seen is not None:
                killed = [one for one in killed if latches[one] in {UNREADABLE, seen.get(one)}]
            if not killed:
                return False
            latches.update((one, Latch(one, False, by, door, reason, now)) for one in killed)
            try:
                self._write(latches)
            except OSError as error:
                raise StorageError(f"{self.path} cannot be written: {error.strerror}.") from error
            return True

    def killed(self, agent: str) -> Latch | None:
        """The latch that holds `agent` (``all``: the whole swarm), None when nothing does."""
        return self.killed_of([agent]).get(agent)

    def killed_of(self, agents: Iterable[str]) -> dict[str, Latch]:
        """Those of these agents that are held, each with its latch; the file is read once."""
        latches = self._read_or_killed()
        held = {agent: holding(latches, agent) for agent in agents}
        return {agent: latch for agent, latch in held.items() if latch is not None}

    def _read_or_killed(self) -> dict[str, Latch]:
        try:
            return self.read()
        except LatchUnreadable:
            return {ALL: UNREADABLE}

    def _write(self, latches: Mapping[str, Latch]) -> None:
        content = json.dumps([_as_json(one) for one in latches.values()], indent=1)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
        self._sync_folder()

    def _empty(self) -> None:
        """An empty latch is an unreadable one, and to become empty takes no room on a full disk."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(
                f"The latch {self.path} can be neither written nor emptied: {error.strerror}."
            ) from error

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self, *, patient: bool) -> Iterator[None]:
        """Hold the lock beside the file. Without it a patient caller gives up, a kill goes on."""
        try:
            handle = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if patient:
                raise StorageError(f"{self.path}.lock: {error.strerror}.") from error
            yield
            return
        try:
            if not self._lock(handle) and patient:
                raise StorageError(f"Another process keeps {self.path} locked.")
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> bool:
        deadline_s = time.monotonic() + self._lock_wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    return False
                time.sleep(0.005)
            except OSError:
                return False
            else:
                return True


def holding(latches: Mapping[str, Latch], agent: str) -> Latch | None:
    """Pure: the latch of ``all`` or else of `agent`, when it is killed."""
    for scope in (ALL, agent):
        latch = latches.get(scope)
        if latch is not None and latch.killed:
            return latch
    return None


def verdict(
    file: Mapping[str, Latch] | None, rows: Mapping[str, Latch] | None, agent: str
) -> Latch | None:
    """Pure: the latch that holds `agent`, from file or rows; None when neither kills.

    `file` is None when it could not be read, which kills. `rows` is None when the database did not
    answer, which does not: the file is there for that.
    """
    if file is None:
        return UNREADABLE
    return holding(file, agent) or holding(rows or {}, agent)


async def write_row(unit: Unit, latch: Latch) -> None:
    """Store a latch, whatever the row said before.

    Clocks of two machines differ, so no time decides which of two is newer: who writes has made
    sure (see `bots.supervisor.latching`).
    """
    values = asdict(latch)
    change = {key: value for key, value in values.items() if key != "scope"}
    add = insert(unit, LATCH).values(**values)
    await run(unit, add.on_conflict_do_update(index_elements=["scope"], set_=change))


async def read_rows(unit: Unit) -> dict[str, Latch]:
    """Every scope's latch as the database has it."""
    c = LATCH.c
    query = sa.select(c.scope, c.killed, c.by, c.door, c.reason, c.changed_at)
    return {row.scope: Latch(*row) for row in await run(unit, query)}


def _as_json(latch: Latch) -> dict[str, Any]:
    return {**asdict(latch), "changed_at": latch.changed_at.isoformat()}


def _parse(raw: Any) -> dict[str, Latch]:
    if not isinstance(raw, list):
        raise TypeError("not a list of latches")
    latches = {one["scope"]: _parse_one(one) for one in raw}
    if ALL not in latches or len(latches) != len(raw):
        raise ValueError("it must have each scope once, and 'all'")
    return latches


def _parse_one(one: Mapping[str, Any]) -> Latch:
    words = [one[key] for key in ("scope", "by", "door", "reason", "changed_at")]
    if not isinstance(one["killed"], bool) or not all(isinstance(word, str) for word in words):
        raise TypeError("a field has the wrong type")
    changed_at = datetime.fromisoformat(one["changed_at"])
    if changed_at.tzinfo is None:
        raise ValueError("a time without its zone")
    return Latch(one["scope"], one["killed"], one["by"], one["door"], one["reason"], changed_at)
