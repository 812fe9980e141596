"""Looks at what people wrote: swarm.toml, souls, secrets, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bots.doctor.finding import Finding, fail, ok, warn
from bots.doctor.missing import how_to_give
from bots.private_file import too_open
from bots.secrets import SecretError, resolve
from bots.settings import Settings
from bots.state import StateFolder
from brain.tools.quoting import counted


def souls(settings: Settings, folder: Path) -> Finding:
    wanted = {agent.soul or agent.name: agent.name for agent in settings.agents}
    missing = [f"{name}.md ({who})" for name, who in wanted.items() if not _is_soul(folder, name)]
    if missing:
        return fail(
            "souls",
            f"not in prompts/souls: {', '.join(missing)}",
            "write the file, or name another one by `soul` in swarm.toml",
        )
    return ok("souls", f"{len(wanted)} in {folder.name}")


def _is_soul(folder: Path, name: str) -> bool:
    return (folder / f"{name}.md").is_file()


def references(settings: Settings) -> list[tuple[str, str]]:
    """(key, reference) of every secret that the settings name."""
    found = [
        ("swarm.nats_credentials", settings.swarm.nats_credentials),
        ("irc.server_password", settings.irc.server_password),
        ("hooks.token", settings.hooks.token),
    ]
    found += [
        (f"agents.{agent.name}.irc.password", agent.irc.password) for agent in settings.agents
    ]
    found += [
        (f"agents.{agent.name}.discord.token", agent.discord.token) for agent in settings.agents
    ]
    return [(key, reference) for key, reference in found if reference is not None]


def secrets(settings: Settings) -> Iterator[Finding]:
    """Every secret can be had, and no two agents share one."""
    named = references(settings)
    owners: dict[str, list[str]] = {}
    failed = False
    for key, reference in named:
        try:
            owners.setdefault(resolve(reference), []).append(key)
        except SecretError as error:
            failed = True
            yield fail("tokens", f"{key} = {error}", how_to_give(reference))
    for reference in settings.escalation.secrets:
        try:
            resolve(reference)
        except SecretError as error:
            failed = True
            yield fail("tokens", f"escalation.steps: {error}", how_to_give(reference))
    for keys in owners.values():
        if len(keys) > 1:
            failed = True
            yield fail(
                "tokens",
                f"{' and '.join(keys)} have the same value: one login throws the other out",
                "give each agent its own account and token",
            )
    if not failed:
        yield ok("tokens", f"{len(named)} named, all found" if named else "none needed")


def certificates(settings: Settings) -> Iterator[Finding]:
    """Files named for TLS and SASL EXTERNAL are there, and keys are closed to others."""
    public = {
        "irc.tls_authority": settings.irc.tls_authority,
        "hooks.tls_certificate": settings.hooks.tls_certificate,
    }
    private = {f"agents.{a.name}.irc.certificate": a.irc.certificate for a in settings.agents}
    private["hooks.tls_key"] = settings.hooks.tls_key
    for key, name in (public | private).items():
        path = Path(name or "").expanduser()
        if name is None:
            continue
        if not path.is_file():
            yield fail("certificates", f"{key}: {path} is no file", "name a PEM file")
        elif key in private and too_open(path):
            yield fail("certificates", f"{key}: others can read {path}", f"chmod 600 {path}")


def permissions(state: StateFolder) -> Finding:
    """Nobody else may look into the state folder."""
    if not state.path.is_dir():
        return ok("permissions", f"{state.path.name} will be made at the first start")
    private = (state.path, state.secrets, state.supervisor, *_inside(state.secrets))
    wide = [path for path in private if path.exists() and too_open(path)]
    if wide:
        names = ", ".join(str(path.relative_to(state.path.parent)) for path in wide)
        return fail("permissions", f"others can read {names}", f"chmod -R go-rwx {state.path}")
    return ok("permissions", f"{state.path.name} is closed to others")


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def operators(settings: Settings) -> Finding:
    if settings.irc.host and not settings.operators.irc_accounts:
        return warn(
            "operators",
            "nobody may steer from IRC but by a signed line",
            "name accounts in operators.irc_accounts, or use `run.py sign`",
        )
    count = len(settings.operators.irc_accounts)
    return ok("operators", f"{counted(count, 'IRC account')}, the local command line, signed lines")
