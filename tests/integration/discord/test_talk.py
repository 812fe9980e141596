"""Lines both ways, on the sandbox guild and the real discord.py."""

from __future__ import annotations

from pathlib import Path

from storage.tables import LineKind
from tests.integration.discord.stage import Agent, permit
from tests.integration.sandbox.stage import CAPTAIN_ID, Sandbox


async def test_what_a_person_says_is_heard_and_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        assert agent.transport.health.nick == "captain"
        assert agent.transport.health.missing == ()
        assert agent.transport.health.note == ""
        lobby = agent.target("#lobby")
        said = await sandbox.person().say(lobby.name, f"<@{CAPTAIN_ID}> hello in <#{lobby.name}>")
        line = (await agent.lines(1))[0]
        assert (line.text, line.sender, line.kind) == (
            "@captain hello in #lobby",
            "you",
            LineKind.SAID,
        )
        assert (line.where, line.msgid, line.is_bot) == (lobby, said["id"], False)
        assert line.account == said["author"]["id"]
        deliveries = await agent.transport.say(
            lobby, ["hello yourself"], permit(lobby), keys=["k1"], answers=said["id"]
        )
        own = (await agent.lines(2))[1]
        assert own.is_own
        assert own.is_bot
        assert deliveries[0].proof == f"id:{own.msgid}"
        answer = (await sandbox.person().history(lobby.name))[0]
        assert answer["message_reference"]["message_id"] == said["id"]
        assert answer["mentions"] == []
