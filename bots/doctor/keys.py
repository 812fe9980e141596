"""Looks at keys: can the master key be had, does it open what is sealed, what expires soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from bots.doctor.finding import Finding, fail, ok, warn
from bots.doctor.missing import how_to_give
from bots.keys.master import MasterUnavailable, default_file, source_of
from bots.keys.sealing import Master
from bots.secrets import SecretError, resolve
from bots.settings import Settings
from bots.state import StateFolder, database_url
from brain.tools.quoting import counted
from storage import keys as rows
from storage.errors import StorageError
from storage.key_life import KeyState
from storage.key_tables import KeyKind
from storage.keys import Key
from storage.store import Store

_LOST = (
    "put it back from a backup; if it is gone for good: python3 run.py keys reseal --lost "
    "(docs/KEYS.md)"
)


async def keys(settings: Settings, state: StateFolder, now: datetime) -> AsyncIterator[Finding]:
    """Everything in this file; nothing is made."""
    found = await _stored(settings, state)
    living = [key for key in found if key.life.may_verify(now)]
    said = [
        *await _master(settings, state, living),
        *_references(settings),
        *_ends(settings, found, now),
        *_without(settings, found, now),
    ]
    for finding in said:
        yield finding
    if not said and found:
        yield ok("keys", f"{counted(len(living), 'key')} in use, none near its end")
    elif not said:
        yield ok("keys", "none yet; the first start makes them")


async def _stored(settings: Settings, state: StateFolder) -> list[Key]:
    """Every key; none where there is no store to read (which has a finding of its own)."""
    if not settings.swarm.database_url and not state.database.exists():
        return []
    try:
        store = await Store.open(database_url(settings, state))
    except StorageError:
        return []
    try:
        return await store.read(rows.every)
    except (StorageError, DBAPIError):
        return []
    finally:
        await store.close()


async def _master(settings: Settings, state: StateFolder, living: Sequence[Key]) -> list[Finding]:
    own = default_file(state)
    if not settings.keys.master and not own.exists():
        says = f"{own.name} is gone from {own.parent.name}, and it sealed "
        return (
            [fail("keys", says + counted(len(living), "key") + " in use", _LOST)] if living else []
        )
    try:
        master = await asyncio.to_thread(source_of(settings, state))
    except MasterUnavailable as error:
        return [fail("keys", str(error), _how_to_mend(settings, own.name))]
    return list(_sealed_by_others(master, living))


def _how_to_mend(settings: Settings, own: str) -> str:
    named = settings.keys.master
    if named.startswith(("vault:", "aws:")):
        return f"see that {named} answers from here; agents sign nothing until it does"
    if named:
        return f"{how_to_give(named)} (openssl rand -base64 32 makes one)"
    return f"mend {own} as it says; agents sign nothing until then"


def _sealed_by_others(master: Master, living: Sequence[Key]) -> Iterator[Finding]:
    closed = [key for key in living if key.master != master.name]
    senders = sorted({key.owner for key in closed if key.kind is KeyKind.SENDER})
    if senders:
        yield fail(
            "keys",
            f"the secrets of {', '.join(senders)} were sealed by another master key",
            "python3 run.py keys reseal --from WHERE-THE-FORMER-IS, or --lost (docs/KEYS.md)",
        )
    agents = {key.owner for key in closed if key.kind is KeyKind.AGENT and not key.retiring_at}
    if agents:
        yield warn(
            "keys",
            f"the keys of {', '.join(sorted(agents))} were sealed by another master key",
            "they get new ones when they start; nothing is to be done if that was meant",
        )


def _references(settings: Settings) -> Iterator[Finding]:
    """Secrets of senders that swarm.toml names can be had."""
    for name, sender in settings.hooks.senders.items():
        if sender.secret is None:
            continue
        try:
            resolve(sender.secret)
        except SecretError as error:
            yield fail("keys", f"hooks.senders.{name}.secret = {error}", how_to_give(sender.secret))


def _ends(settings: Settings, found: Sequence[Key], now: datetime) -> Iterator[Finding]:
    for key in found:
        if not key.life.is_near_its_end(now, settings.keys.warn_within):
            continue
        says = f"{key.key_id} expires at {key.expires_at:%Y-%m-%d %H:%M} UTC"
        yield warn("keys", says, _how_to_replace(settings, key))


def _how_to_replace(settings: Settings, key: Key) -> str:
    rotate = f"python3 run.py keys rotate {key.owner}"
    if key.kind is KeyKind.AGENT:
        days = settings.keys.rotate_days
        return f"the swarm does that by itself {days:g} days before, if it runs; now: {rotate}"
    sender = settings.hooks.senders.get(key.owner)
    if sender is not None and sender.secret is not None:
        return f"put a new secret where {sender.secret} leads, there and here; then: {rotate}"
    return f"{rotate}, and give {key.owner} the secret that it prints"


def _without(settings: Settings, found: Sequence[Key], now: datetime) -> Iterator[Finding]:
    """Senders that nobody can hear."""
    signing = {key.owner for key in found if key.life.state(now) is KeyState.SIGNS}
    for name, sender in settings.hooks.senders.items():
        if name in signing:
            continue
        if sender.secret is None:
            yield warn("keys", f"the sender {name} has no key", f"run.py keys create {name}")
        elif any(key.owner == name for key in found):
            yield warn(
                "keys",
                f"the key of the sender {name} expired or was revoked",
                f"put another secret where {sender.secret} leads, there and here",
            )
