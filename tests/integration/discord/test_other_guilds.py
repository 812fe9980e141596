"""Whoever invites the bot into a guild of their own gets no work out of it there; a kill counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.interaction_payloads import created
from bots.sandbox.server import Server, build
from bots.sandbox.session import encode
from bots.sandbox.snowflake import named
from tests.integration.discord.swarm import Member, client, member
from tests.integration.discord.test_commands import answered, post_card
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import CAPTAIN_ID, config, serving

ELSEWHERE = 1001


class Scene:
    """The captain in two guilds; what "you" does in ours comes to it as done in the other one."""

    def __init__(self, server: Server, captain: Member, you: Client) -> None:
        self._server = server
        self.captain, self.you = captain, you
        self._tell("GUILD_CREATE", self._guild())

    async def moved(self) -> None:
        """Let the captain take the next interaction, but from the other guild."""
        await self.captain.until(lambda: bool(self.captain.held))
        [ours] = self.captain.held
        world = self._server._world
        payload = created(world, world.interactions[ours.token])
        guild = {"id": str(ELSEWHERE), "locale": "en-US", "features": []}
        self._tell("INTERACTION_CREATE", payload | {"guild_id": str(ELSEWHERE), "guild": guild})
        await self.captain.until(lambda: len(self.captain.held) == 2)
        theirs = self.captain.held.pop()
        assert theirs.guild_id == ELSEWHERE
        self.captain.slash.on_interaction(theirs)

    def _guild(self) -> dict[str, Any]:
        world = self._server._world
        other = world.guild_payload(world.users[CAPTAIN_ID])
        other |= {"id": str(ELSEWHERE), "name": "elsewhere", "threads": [], "channels": []}
        return other | {"roles": [r | {"id": str(ELSEWHERE)} for r in other["roles"][:1]]}

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        for session in self._server._gateway._sessions.values():
            if session.user.id == CAPTAIN_ID:
                session.tell(name, encode(data))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    server = build(config())
    async with serving(server) as sandbox:
        operators = {"discord_users": [str(named("user", "you"))]}
        async with member(sandbox, tmp_path, operators=operators) as captain:
            await captain.synced()
            captain.holds_back = True
            yield Scene(server, captain, await client(sandbox))


async def test_a_command_of_another_guild_gets_one_private_sentence(scene: Scene) -> None:
    await scene.you.use("ask", agent="rook", question="what do they say in your guild?")
    await scene.moved()
    told = await answered(scene.you)
    assert told["content"] == "I work in another guild; here I only obey a kill."
    assert told["flags"] & 64
    assert await scene.captain.inbox("rook") == []


async def test_a_button_of_another_guild_does_nothing(scene: Scene) -> None:
    pressed: list[object] = []

    async def approve(interaction: object) -> None:
        pressed.append(interaction)

    scene.captain.slash.front.components["approval"] = approve
    card = await post_card(scene.captain, scene.you, "approval:yes:7")
    await scene.you.press(card, "approval:yes:7")
    await scene.moved()
    assert "another guild" in (await answered(scene.you))["content"]
    assert pressed == []


async def test_no_names_are_offered_in_another_guild(scene: Scene) -> None:
    await scene.you.use("ask", kind=4, agent=("ro",))
    await scene.moved()
    told = await scene.you.ear.until("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    assert told["choices"] == []


async def test_an_operator_kills_from_another_guild(scene: Scene) -> None:
    await scene.you.use("kill-autonomous", reason="it loops")
    await scene.moved()
    assert (await answered(scene.you))["content"] == scene.captain.said
    assert [latch.scope for latch in scene.captain.spread] == ["all"]
