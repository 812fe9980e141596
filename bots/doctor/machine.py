"""Looks at this machine: Python, packages, disk, clock, open files."""

from __future__ import annotations

import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

from bots.doctor.finding import Finding, fail, ok, warn

OLDEST_PYTHON = (3, 11)
#: bytes below which the disk counts as full, and as nearly full
FULL, NEARLY_FULL = 200_000_000, 1_000_000_000
#: connections, pipes and files of the largest process: the IRC server with hundreds of nicks
OPEN_FILES = 1024
#: no clock that is right shows an earlier day
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
#: a signature may be this old or this early (DESIGN, wire forms)
SKEW = timedelta(seconds=300)
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+) *\\?$", re.MULTILINE)


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return fail("python", f"{version} is too old", "use Python 3.11 or newer")
    memory = sqlite3.connect(":memory:")
    try:
        memory.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except sqlite3.OperationalError:
        return fail(
            "python",
            f"{version}, but its SQLite {sqlite3.sqlite_version} has no full-text search (FTS5)",
            "use a Python whose SQLite has FTS5, or set database_url to a PostgreSQL",
        )
    finally:
        memory.close()
    return ok("python", f"{version}, SQLite {sqlite3.sqlite_version}")


def packages(requirements: Path) -> Finding:
    """Compare what is installed with the pins of `requirements`."""
    if not requirements.exists():
        return warn("packages", f"there is no {requirements.name} to compare with", "run.py lock")
    pins = _PIN.findall(requirements.read_text(encoding="utf-8"))
    wrong = [
        f"{name} {found or 'missing'}" for name, want in pins if (found := _found(name)) != want
    ]
    if wrong:
        return fail(
            "packages",
            f"{len(wrong)} of {len(pins)} differ from {requirements.name}: {', '.join(wrong[:4])}",
            "start by `python3 run.py`; if that does not help, delete .venv first",
        )
    return ok("packages", f"{len(pins)} as pinned")


def _found(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def disk(folder: Path) -> Finding:
    """Room where the state folder lies, or will lie."""
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    says = f"{free / 1e9:.1f} GB free at {place}"
    if free < FULL:
        return fail("disk", says, "make room; logs and the database need about 200 MB")
    if free < NEARLY_FULL:
        return warn("disk", says, "make room, or lower limits.log_bytes and swarm.retention_days")
    return ok("disk", says)


def clock(now: datetime, folder: Path) -> Iterator[Finding]:
    """Signatures, leases and heartbeats believe the clock, so it had better be right."""
    shown = now.strftime("%Y-%m-%d %H:%M:%S UTC")
    if now < RELEASED:
        yield fail(
            "clock", f"it shows {shown}, which is long ago", "set it: timedatectl set-ntp true"
        )
        return
    newest = max((p.stat().st_mtime for p in _files(folder)), default=0.0)
    ahead = datetime.fromtimestamp(newest, UTC) - now
    if ahead > SKEW:
        yield fail(
            "clock",
            f"it shows {shown}, but files in the state folder were written {ahead} later",
            "set the clock; until then signatures and leases from the future are refused",
        )
    elif _synchronised() is False:
        yield warn("clock", f"{shown}, not synchronised", "timedatectl set-ntp true")
    else:
        yield ok("clock", shown)


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()] if folder.is_dir() else []


def _synchronised() -> bool | None:
    """What systemd says of the clock, None where nobody can tell."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said.stdout.strip())


def open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        return warn(
            "open files", f"a process may open {soft}", f"ulimit -n {min(hard, OPEN_FILES)}"
        )
    return ok("open files", f"{soft} a process")
