"""Discord writes channels in small letters; whoever writes settings need not know that."""

from __future__ import annotations

from pathlib import Path

from bots.messages import DISCORD, Target
from tests.integration.discord.stage import permit
from tests.integration.discord.swarm import member
from tests.integration.sandbox.stage import Sandbox


async def test_a_channel_is_found_however_the_settings_spell_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with member(sandbox, tmp_path) as captain:
        lobby = Target.channel(DISCORD, "#Lobby")
        [said] = await captain.transport.say(lobby, ["a post"], permit(lobby), keys=["k"])
        assert said.sent, said.proof
        assert captain.transport.is_open("#Lobby")
        assert not captain.transport.is_open("#Lobbies")
