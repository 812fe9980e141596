"""`run.py guild plan|apply` on a real guild, as an operator runs it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bots.sandbox.permissions import Permission
from bots.sandbox.snowflake import named
from tests.integration.discord.rude import stranger
from tests.integration.sandbox.stage import CAPTAIN, Sandbox

ROOT = Path(__file__).parents[3]
SETTINGS = """
[discord]
api_base = "http://127.0.0.1:{port}/api/v10"
gateway = "ws://127.0.0.1:{port}/gateway"
[[agents]]
name = "captain"
role = "captain"
channels = ["#inter-agent"]
discord.token = "env:PARLEY_TEST_TOKEN"
[[channels]]
name = "#lobby"
topic = "Everybody sits here"
category = "operations"
[[channels]]
name = "#ceo-office"
topic = "Decisions"
category = "headquarters"
"""


async def run(folder: Path, *words: str, token: str = CAPTAIN) -> tuple[int, str, str]:
    """Exit code, output and errors of one command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(ROOT / "run.py"), "guild", *words),
        *("--config", str(folder / "swarm.toml")),
        env=os.environ | {"PARLEY_TEST_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert token not in (both := out.decode() + err.decode()), both
    return process.returncode, out.decode(), err.decode()


async def test_a_plan_is_shown_carried_out_once_and_then_empty(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "swarm.toml").write_text(SETTINGS.format(port=sandbox.port))
    steps = [
        "create the category headquarters",
        "move #lobby below operations",
        "set the topic of #lobby: Everybody sits here",
        "create #ceo-office below headquarters",
        "create #inter-agent",
    ]
    left_alone = "Left alone, for swarm.toml does not name them: #task-board"
    code, out, _ = await run(tmp_path, "plan", "--check")
    assert (code, out.splitlines()) == (1, [*steps, left_alone])

    code, out, err = await run(tmp_path, "apply")
    assert (code, out.splitlines(), err) == (0, [f"done: {step}" for step in steps], "")
    channels = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/channels")
    by_name = {c["name"]: c for c in channels}
    assert by_name["ceo-office"]["parent_id"] == by_name["headquarters"]["id"]
    assert by_name["lobby"]["parent_id"] == by_name["operations"]["id"]
    assert by_name["lobby"]["topic"] == "Everybody sits here"

    nothing = "Nothing to do: the guild has every channel of swarm.toml."
    assert await run(tmp_path, "apply") == (0, f"{nothing}\n", "")
    code, out, _ = await run(tmp_path, "plan", "--check")
    assert (code, out.splitlines()) == (0, [nothing, left_alone])


async def test_a_missing_permission_is_named_with_the_link_that_grants_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "swarm.toml").write_text(SETTINGS.format(port=sandbox.port))
    role = sandbox.server._world.roles[named("role", "agents")]
    role.permissions &= ~int(Permission.MANAGE_CHANNELS)
    code, out, err = await run(tmp_path, "apply")
    assert (code, out) == (1, "")
    assert "Could not create the category headquarters" in err
    assert "lacks the permission Manage Channels" in err
    assert "https://discord.com/oauth2/authorize?client_id=" in err


async def test_a_wrong_token_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text(SETTINGS.format(port=sandbox.port))
    code, _, err = await run(tmp_path, "plan", token="MTIz.wrong.token-that-nobody-has")
    assert code == 1
    assert "does not accept the token of captain's bot" in err


async def test_a_server_that_is_not_discords_is_said(tmp_path: Path) -> None:
    async with stranger() as api_base:
        port = api_base.removesuffix("/api/v10").rpartition(":")[2]
        (tmp_path / "swarm.toml").write_text(SETTINGS.format(port=port))
        code, _, err = await run(tmp_path, "plan")
    assert code == 1
    assert "Traceback" not in err
    assert "Discord cannot be asked: what answers there does not speak as Discord does" in err


async def test_without_token_and_swarm_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text('[[agents]]\nname = "captain"\nrole = "captain"\n')
    code, _, err = await run(tmp_path, "plan")
    assert code == 3
    assert "agents.captain.discord.token" in err
