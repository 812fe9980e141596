"""Lines that one socket has read and the store does not have yet, kept where kill -9 cannot reach
them.

A write to a file survives the death of the process (not a power cut; the store's own default is the
same). The listener of a channel, and everybody for private lines, writes a line down before doing
anything with it; once the store has it, the journal starts anew. What a dead process left there,
its replacement stores.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storage import record
from storage.record import NewLine, Owed
from storage.unit import Unit

#: a listener may have read a line this much later than the others: a slower one is replaced
LATE_S = 20.0
_FILE_MODE = 0o600


@dataclass(frozen=True)
class Left:
    """What a predecessor left."""

    #: ``<network>:<channel>`` → newest stored id that is surely older than the lines below
    marks: Mapping[str, int]
    lines: list[NewLine]


class Journal:
    """One agent's journal; `add` is synchronous and costs one write."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._path = path
        self._fd = os.open(path, flags, _FILE_MODE)
        self.is_empty = False

    def add(self, line: NewLine) -> None:
        """Write one line down; a full disk raises `OSError`."""
        self.is_empty = False
        self._write({"line": _as_json(line)})

    def mark(self, channel: str, newest_id: int) -> None:
        """Lines of `channel` (``<network>:<name>``) are written down from now on."""
        self._write({"marks": {channel: newest_id}})

    def start_anew(self, marks: Mapping[str, int], kept: Sequence[NewLine] = ()) -> None:
        """Forget all but `kept`, for it is stored. `marks` is for each channel a stored id that is
        older than every line of it that is kept or still to come.
        """
        if not self.is_empty:
            os.ftruncate(self._fd, 0)
            self._write({"marks": dict(marks)})
            for line in kept:
                self._write({"line": _as_json(line)})
            self.is_empty = not kept

    def left(self) -> Left:
        """What is written down at present, without a half line that a crash cut off."""
        marks: dict[str, int] = {}
        lines: list[NewLine] = []
        for text in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(text)
                # The first mark counts: every line that was written down is newer than it.
                marks = entry.get("marks", {}) | marks
                if "line" in entry:
                    lines.append(_from_json(entry["line"]))
            except (ValueError, TypeError, KeyError, AttributeError):
                # Cut off by a crash, or of another version's shape.
                continue
        return Left(marks, lines)

    def close(self) -> None:
        os.close(self._fd)

    def _write(self, entry: dict[str, Any]) -> None:
        # The line end comes first as well: a half entry of a full disk spoils only itself.
        os.write(self._fd, b"\n" + json.dumps(entry).encode() + b"\n")


def _as_json(line: NewLine) -> dict[str, Any]:
    values = asdict(line)
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _from_json(values: dict[str, Any]) -> NewLine:
    values = dict(values)
    for name in ("said_at", "heard_at"):
        values[name] = datetime.fromisoformat(values[name])
    values["owed"] = tuple(Owed(**one) for one in values["owed"])
    return NewLine(**values)


async def store_left(unit: Unit, left: Left) -> None:
    """Keep what a dead process left; what is stored already is not stored again."""
    channels: dict[str, list[NewLine]] = {}
    for line in left.lines:
        if line.channel.startswith("nick:"):
            await record.keep_new(unit, line)
        else:
            channels.setdefault(f"{line.network}:{line.channel}", []).append(line)
    for name, lines in channels.items():
        since = lines[0].heard_at - timedelta(seconds=LATE_S)
        await record.keep(unit, lines, left.marks.get(name, 0), since)
