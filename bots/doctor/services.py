"""Looks at what the agents stand on: database, bus, IRC server, ports, latch. Works up and down."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sysconfig
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

import storage.migrations
from bots.doctor.finding import Finding, fail, ok, warn
from bots.settings import Settings
from bots.state import StateFolder, database_url
from bots.supervisor.ports import LOOPBACK, is_free
from bots.supervisor.sweeper import genuine
from brain.tools.quoting import counted
from storage import audit as audit_chains
from storage import checkpoints
from storage.errors import LatchUnreadable, StorageError
from storage.latch import LatchFile
from storage.store import Store
from storage.unit import Unit

ANSWER_WITHIN_S = 3.0
NATS_PORT = 4222
IRC_PORT = 6667
_DAMAGED = (
    "put a backup in its place, or move it away: the next start makes an empty one "
    "(PostgreSQL: check swarm.database_url and its server)"
)


def ports(settings: Settings, *, up: bool) -> Iterator[Finding]:
    """Configured ports are free while the swarm is down."""
    wanted = {
        "swarm.control_port": settings.swarm.control_port,
        "swarm.nats_port": 0 if settings.swarm.nats_url else settings.swarm.nats_port,
        "sandbox.irc_port": 0 if settings.irc.host else settings.sandbox.irc_port,
    }
    wanted |= {f"agents.{agent.name}.hook_port": agent.hook_port for agent in settings.agents}
    fixed = {key: port for key, port in wanted.items() if port}
    for port in sorted({port for port in fixed.values() if list(fixed.values()).count(port) > 1}):
        keys = " and ".join(key for key, value in fixed.items() if value == port)
        yield fail("ports", f"{keys} are both {port}", "give each its own, or 0 for a free one")
    if up:
        return
    for key, port in fixed.items():
        if not is_free(port):
            yield fail(
                "ports",
                f"{port} ({key}) is in use by another program",
                f"end that program, or set {key} = 0 for a free port",
            )


async def database(settings: Settings, state: StateFolder) -> Finding:
    """It opens, and its schema is one that this Parley knows."""
    if not settings.swarm.database_url and not state.database.exists():
        return ok("database", "SQLite, will be made at the first start")
    try:
        store = await Store.open(database_url(settings, state))
    except StorageError as error:
        return fail("database", str(error), "check swarm.database_url, or the file's permissions")
    try:
        return await _schema(store)
    except StorageError as error:
        return fail("database", str(error), _DAMAGED)
    finally:
        await store.close()


async def _schema(store: Store) -> Finding:
    scripts = ScriptDirectory(str(next(iter(storage.migrations.__path__))))
    known = {script.revision for script in scripts.walk_revisions()}
    try:
        async with store.reading() as unit:
            version = sa.text("SELECT version_num FROM alembic_version")
            found = (await unit.execute(version)).scalar()
    except (StorageError, DBAPIError):
        return ok("database", f"{store.dialect}, empty; its tables come with the first start")
    if found not in known:
        return fail(
            "database",
            f"schema {found} was made by a newer Parley",
            "update Parley, or point swarm.database_url at another database",
        )
    if found != scripts.get_current_head():
        return ok(
            "database", f"{store.dialect}, schema {found}; the next start brings it up to date"
        )
    return ok("database", f"{store.dialect}, schema {found}")


async def audit(settings: Settings, state: StateFolder) -> Finding:
    """Every agent's chain is whole, and ends no earlier than its signed checkpoint says."""
    if not settings.swarm.database_url and not state.database.exists():
        return ok("audit", "no chain yet")
    try:
        store = await Store.open(database_url(settings, state))
    except StorageError:
        return ok("audit", "not looked at: see the database")
    try:
        async with store.reading() as unit:
            names = await audit_chains.agents_audited(unit)
            wrong = [w for n in names if (w := await _broken(unit, n))]
    except (StorageError, DBAPIError):
        return ok("audit", "no chain yet")
    finally:
        await store.close()
    if wrong:
        return fail(
            "audit", "; ".join(wrong), "somebody changed the audit: keep the database as evidence"
        )
    return ok("audit", f"{counted(len(names), 'chain')}, whole")


async def _broken(unit: Unit, agent: str) -> str | None:
    at = await audit_chains.verify(unit, agent)
    if at is not None:
        return f"{agent}'s chain is broken at entry {at}"
    return await checkpoints.broken(unit, agent, genuine)


async def bus(settings: Settings, state: StateFolder, *, up: bool) -> Finding:
    """The NATS server answers, or could be started."""
    running = (state.read_supervisor() or {}).get("nats") if up else None
    url = running or settings.swarm.nats_url
    if not url:
        if _is_program("nats-server"):
            return ok("bus", "embedded, starts with the swarm")
        return fail("bus", "nats-server is not installed", "delete .venv and start by run.py")
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    host, port = parts.hostname or LOOPBACK, parts.port or NATS_PORT
    mend = "the swarm restarts its own server by itself" if running else "check swarm.nats_url"
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            greeting = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return fail("bus", f"nobody answers at {host}:{port}", mend)
    if not greeting.startswith(b"INFO"):
        return fail("bus", f"{host}:{port} is no NATS server", mend)
    return ok("bus", f"NATS answers at {host}:{port}")


def _is_program(name: str) -> bool:
    return Path(sysconfig.get_path("scripts"), name).exists() or shutil.which(name) is not None


async def irc(settings: Settings, state: StateFolder, *, up: bool) -> Finding:
    """The IRC server takes connections, or could be started."""
    place = (state.read_supervisor() or {}).get("irc") if up else None
    if place is None and not settings.irc.host:
        if not settings.sandbox.irc:
            return warn("irc", "no server is configured", "set irc.host, or sandbox.irc = true")
        if find_spec("miniircd"):
            return ok("irc", "embedded, starts with the swarm")
        return fail("irc", "miniircd is not installed", "delete .venv and start by run.py")
    host = place["host"] if place else settings.irc.host
    port = place["port"] if place else settings.irc.port or IRC_PORT
    context = ssl.create_default_context() if settings.irc.tls else None
    if context and settings.irc.tls_authority:
        context.load_verify_locations(settings.irc.tls_authority)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
    except ssl.SSLCertVerificationError as error:
        return fail("irc", f"{host}:{port}: {error.verify_message}", "check irc.tls_authority")
    except (OSError, TimeoutError):
        return fail("irc", f"nobody answers at {host}:{port}", "check irc.host and irc.port")
    return ok("irc", f"answers at {host}:{port}{' with TLS' if context else ''}")


def latch(state: StateFolder) -> Iterator[Finding]:
    """Whether the swarm, or an agent, is killed."""
    if not state.latch.exists() and not state.database.exists():
        return
    try:
        latches = LatchFile(state.latch).read()
    except LatchUnreadable as error:
        yield fail("latch", f"{error}", "run.py resume --reason WHY")
        return
    killed = [one for one in latches.values() if one.killed]
    for one in killed:
        yield warn(
            "latch",
            f"{one.scope} {one.told}",
            "run.py resume --reason WHY",
        )
    if not killed:
        yield ok("latch", "clear")


async def services(settings: Settings, state: StateFolder, *, up: bool) -> AsyncIterator[Finding]:
    """Everything in this file, in the order in which a start needs it."""
    for finding in ports(settings, up=up):
        yield finding
    yield await database(settings, state)
    yield await audit(settings, state)
    yield await bus(settings, state, up=up)
    yield await irc(settings, state, up=up)
    for finding in latch(state):
        yield finding
