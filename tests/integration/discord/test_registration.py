"""Which application has which commands in the guild, and when Discord is asked at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from bots.sandbox.session import encode
from tests.integration.discord.rude import NoCommands
from tests.integration.discord.swarm import Member, member
from tests.integration.sandbox.stage import CAPTAIN_ID, Sandbox

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


async def test_what_discord_refused_is_registered_when_it_does_not_refuse_any_more(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with (
        NoCommands(sandbox) as there,
        member(sandbox, tmp_path, api_base=there.api_base, again_s=0.05) as one,
    ):
        await one.until(lambda: "commands were not registered: it may not" in one.slash.trouble)
        assert await registered(sandbox) == {}
        there.refuses = False
        await one.until(lambda: one.slash.trouble == "")
        assert "ask" in await registered(sandbox)


async def test_who_is_invited_gets_its_commands_without_another_session(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with member(sandbox, tmp_path) as one:
        await one.synced()
        world = sandbox.server._world
        guild = world.guild_payload(world.users[CAPTAIN_ID])
        [session] = sandbox.server._gateway._sessions.values()
        http, application = one.http
        for day in (1, 2):
            # Thrown out: its commands are gone, and nobody tells it so.
            session.tell("GUILD_DELETE", encode({"id": guild["id"]}))
            await one.until(lambda: one.transport.guild is None)
            await http.bulk_upsert_guild_commands(application, sandbox.guild_id, [])
            assert await registered(sandbox) == {}
            joined = f"2090-01-0{day}T00:00:00+00:00"
            members = [m | {"joined_at": joined} for m in guild["members"]]
            session.tell("GUILD_CREATE", encode(guild | {"members": members}))
            await one.until(lambda: one.transport.guild is not None)
            await one.synced()
            assert "ask" in await registered(sandbox)
        assert one.transport.name_of(f"channel:{guild['channels'][-1]['id']}").startswith("#")
