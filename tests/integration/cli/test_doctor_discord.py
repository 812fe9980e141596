"""What the doctor says of bots on Discord: each trouble with what mends it, and never a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.doctor.finding import Finding, Level
from bots.doctor.round import examine
from bots.sandbox.model import Overwrite
from bots.sandbox.server import build
from tests.integration.discord.rude import TwoGuilds
from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    DEAF,
    DEAF_ID,
    ROOK,
    ROOK_ID,
    Sandbox,
    bot_token,
    config,
    serving,
)

ROOT = Path(__file__).parents[3]
SEND_MESSAGES, VIEW = 1 << 11, 1 << 10


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serving(build(config())) as running:
        yield running


def swarm(
    folder: Path, tokens: dict[str, str], *, more: str = "", channels: str = '"#lobby"'
) -> Path:
    """A swarm whose agents have these tokens, in files that only their owner reads."""
    tables = ""
    for agent, token in tokens.items():
        file = folder / f"{agent}.token"
        file.touch(mode=0o600)
        file.write_text(token)
        tables += (
            f'[[agents]]\nname = "{agent}"\nrole = "r"\nsoul = "captain"\n'
            f'channels = [{channels}]\ntransports = ["discord"]\n'
            f'discord.token = "file:{file.name}"\n'
        )
    path = folder / "swarm.toml"
    path.write_text(f"{more}\n{tables}")
    return path


async def found(path: Path, about: str = "discord") -> list[Finding]:
    findings = [f async for f in examine(path, ROOT, datetime.now(UTC))]
    for token in (CAPTAIN, ROOK, DEAF):
        assert token.rpartition(".")[2] not in str(findings)
    return [f for f in findings if f.about == about]


def at(sandbox: Sandbox) -> str:
    return f"""[discord]\napi_base = "http://127.0.0.1:{sandbox.port}/api/v10"\n"""


async def test_a_healthy_bot_is_named_with_its_application(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    [one] = await found(swarm(tmp_path, {"captain": CAPTAIN}, more=at(sandbox)))
    assert (one.level, one.says) == (Level.OK, "captain is captain, application captain")


async def test_without_tokens_the_sandbox_guild_serves(tmp_path: Path) -> None:
    path = tmp_path / "swarm.toml"
    path.write_text('[[agents]]\nname = "captain"\nrole = "captain"\n')
    [one] = await found(path)
    assert (one.level, one.says) == (Level.OK, "no tokens: the sandbox guild will serve")
    path.write_text('[[agents]]\nname = "captain"\nrole = "captain"\ntransports = ["irc"]\n')
    assert await found(path) == []


async def test_each_trouble_of_each_bot_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    tokens = {"captain": bot_token(77), "rook": ROOK, "deaf": DEAF, "torn": "no-token-at-all"}
    path = swarm(tmp_path, tokens, more=at(sandbox), channels='"#lobby", "#vault"')
    (tmp_path / "swarm.toml").write_text(
        path.read_text() + '[[agents]]\nname = "poor"\nrole = "r"\nsoul = "captain"\n'
    )
    says = [(f.level, f.says) for f in await found(path)]
    assert (Level.WARN, "no token for poor: they are not on Discord") in says
    torn = "agents.torn.discord.token: that is no bot token: it does not begin with a user id"
    assert (Level.FAIL, torn) in says
    told = "\n".join(s for level, s in says if level is Level.FAIL)
    assert "captain: Discord does not accept captain's token: make a new one" in told
    page = f"https://discord.com/developers/applications/{DEAF_ID}/bot"
    assert "deaf: Discord refuses the Message Content intent: switch on" in told
    assert page in told
    assert "rook: There is no #vault in parley: python3 run.py guild apply" in told


async def test_what_a_bot_may_not_see_and_do_is_named_by_channel(tmp_path: Path) -> None:
    server = build(config())
    async with serving(server) as sandbox:
        by_name = {c.name: c for c in server._world.channels.values()}
        by_name["lobby"].overwrites = [Overwrite(id=ROOK_ID, type=1, deny=SEND_MESSAGES)]
        by_name["task-board"].overwrites = [Overwrite(id=ROOK_ID, type=1, deny=VIEW)]
        tokens = {"captain": CAPTAIN, "rook": ROOK}
        path = swarm(tmp_path, tokens, more=at(sandbox), channels='"#lobby", "#task-board"')
        fine, hidden, mute = await found(path)
    assert fine.level is Level.OK
    invitation = f"let it in: https://discord.com/oauth2/authorize?client_id={ROOK_ID}"
    assert f"rook: It cannot see #task-board; {invitation}" in hidden.says
    assert mute.says.startswith("rook: It lacks the permission Send Messages")
    where = f"https://discord.com/channels/{sandbox.guild_id}/{by_name['lobby'].id}"
    assert mute.says.endswith(f"in #lobby (Edit Channel, Permissions: {where}).")


async def test_bots_in_two_guilds_are_told_to_name_one(sandbox: Sandbox, tmp_path: Path) -> None:
    async with TwoGuilds(sandbox) as there:
        more = f'[discord]\napi_base = "{there.api_base}"\n'
        [one] = await found(swarm(tmp_path, {"captain": CAPTAIN}, more=more))
        assert one.level is Level.FAIL
        assert "captain: It is in 2 guilds (parley and elsewhere)" in one.says
        assert "name yours in swarm.toml, discord.guild = " in one.says
        more += f'guild = "{sandbox.guild_id}"\n'
        [one] = await found(swarm(tmp_path, {"captain": CAPTAIN}, more=more))
        assert one.level is Level.OK


async def test_a_bot_outside_the_guild_gets_its_invitation(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    more = f'{at(sandbox)}guild = "4242"\n'
    [one] = await found(swarm(tmp_path, {"captain": CAPTAIN}, more=more))
    assert "captain: It is in no guild; let it in: https://discord.com/oauth2/authorize" in one.says
    assert f"client_id={CAPTAIN_ID}" in one.says


async def test_two_tokens_of_one_bot_and_one_token_twice(sandbox: Sandbox, tmp_path: Path) -> None:
    other = CAPTAIN.rpartition(".")[0] + ".older"
    path = swarm(tmp_path, {"captain": CAPTAIN, "rook": other}, more=at(sandbox))
    says = [f.says for f in await found(path) if f.level is Level.FAIL]
    assert f"captain and rook have the same bot ({CAPTAIN_ID})" in says
    path = swarm(tmp_path, {"captain": CAPTAIN, "rook": CAPTAIN}, more=at(sandbox))
    [twice] = await found(path, "tokens")
    assert "agents.captain.discord.token and agents.rook.discord.token have the same" in twice.says


async def test_a_server_that_does_not_answer(tmp_path: Path, unused_tcp_port: int) -> None:
    more = f'[discord]\napi_base = "http://127.0.0.1:{unused_tcp_port}/api/v10"\n'
    [one] = await found(swarm(tmp_path, {"captain": CAPTAIN}, more=more))
    assert one.level is Level.FAIL
    assert "captain: Discord cannot be asked" in one.says
