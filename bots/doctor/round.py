"""One round: every look, in order; nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from bots.doctor import brains, configuration, guild, keys, machine, services
from bots.doctor.finding import Finding, fail, ok
from bots.settings import SettingsError, load
from bots.state import state_of
from bots.supervisor.folder_lock import is_locked
from brain.tools.quoting import counted


async def examine(
    config: Path, root: Path, now: datetime, *, online: bool = False
) -> AsyncIterator[Finding]:
    """Findings one by one; `config` is the swarm's settings, `root` the project's folder.

    `online`: vendors of models are asked whether they take our keys.
    """
    yield machine.python()
    yield machine.packages(root / "requirements.txt")
    yield machine.open_files()
    try:
        settings = load(config)
    except SettingsError as error:
        for sentence in str(error).splitlines():
            yield fail("settings", sentence, "mend that line of the file")
        return
    yield ok("settings", f"{config.name}: {counted(len(settings.agents), 'agent')}")
    state = state_of(config, settings)
    up = is_locked(state)
    yield ok("swarm", "up" if up else "down")
    yield configuration.souls(settings, root / "prompts" / "souls")
    for finding in configuration.secrets(settings):
        yield finding
    for finding in configuration.certificates(settings):
        yield finding
    yield configuration.operators(settings)
    yield configuration.permissions(state)
    yield machine.disk(state.path)
    for finding in machine.clock(now, state.path):
        yield finding
    async for finding in services.services(settings, state, up=up):
        yield finding
    async for finding in keys.keys(settings, state, now):
        yield finding
    async for finding in guild.guild(settings, state):
        yield finding
    async for finding in brains.brains(settings, now, online=online):
        yield finding
