"""Which application has which commands in the guild, and when Discord is asked at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from tests.integration.discord.swarm import Member, member
from tests.integration.sandbox.stage import Sandbox

_REGISTERED = "discord_commands_registered"


async def registered(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    """Name of every command → application and version."""
    index = await sandbox.person().ask(
        "GET", f"/guilds/{sandbox.guild_id}/application-command-index"
    )
    return {c["name"]: (c["application_id"], c["version"]) for c in index["application_commands"]}


async def started(sandbox: Sandbox, folder: Path, name: str = "captain", **more: Any) -> Member:
    """An agent that has come and gone, its commands looked after."""
    async with member(sandbox, folder, name, **more) as one:
        await one.synced()
        return one


def fingerprints(one: Member) -> Path:
    return one.spec.state_folder / "discord" / f"{one.spec.name}.commands.json"


async def test_a_restart_registers_nothing_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    with capture_logs() as logs:
        await started(sandbox, tmp_path)
        before = await registered(sandbox)
        assert {"ask", "kill-autonomous", "audit", "help"} <= set(before)
        again = await started(sandbox, tmp_path)
        fingerprints(again).unlink()
        await started(sandbox, tmp_path)
        assert await registered(sandbox) == before
    assert [e["number"] for e in logs if e["event"] == _REGISTERED] == [len(before)]


async def test_a_known_fingerprint_asks_discord_nothing_and_an_unknown_one_mends_what_differs(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with member(sandbox, tmp_path) as one:
        await one.synced()
        http, application = one.http
        commands = await http.get_guild_commands(application, sandbox.guild_id)
        [ask] = [c for c in commands if c["name"] == "ask"]
        await http.delete_guild_command(application, sandbox.guild_id, ask["id"])
    again = await started(sandbox, tmp_path)
    assert "ask" not in await registered(sandbox)
    fingerprints(again).unlink()
    await started(sandbox, tmp_path)
    assert "ask" in await registered(sandbox)


async def test_the_deputy_carries_kill_and_resume_and_nobody_else_anything(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    deputy = {"discord": {"deputy": "rook"}}
    await started(sandbox, tmp_path, "rook", **deputy)
    assert set(await registered(sandbox)) == {"kill-autonomous", "resume"}
    # No deputy any more: what it had is taken away.
    rook = await started(sandbox, tmp_path, "rook")
    assert await registered(sandbox) == {}
    assert rook.slash.trouble == ""
