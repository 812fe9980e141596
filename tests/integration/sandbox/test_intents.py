"""Intents, as the real discord.py meets them."""

from __future__ import annotations

import discord
import pytest

from tests.integration.sandbox.stage import DEAF, Sandbox


async def test_intents_that_the_bot_may_not_have_end_it_with_4014(sandbox: Sandbox) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await sandbox.bot(DEAF, intents=discord.Intents.all())


async def test_without_message_content_a_bot_reads_only_what_is_meant_for_it(
    sandbox: Sandbox,
) -> None:
    deaf = await sandbox.bot(DEAF, intents=discord.Intents.default())
    person = sandbox.person()
    lobby = deaf.channel("lobby")
    assert deaf.user is not None
    await person.say(lobby.id, "nobody in particular")
    await person.say(lobby.id, f"<@{deaf.user.id}> you")
    dm = await person.ask("POST", "/users/@me/channels", json={"recipient_id": str(deaf.user.id)})
    await person.say(dm["id"], "psst")
    await lobby.send("my own words")
    heard = await deaf.messages.count(4)
    assert [m.content for m in heard] == [
        "",
        f"<@{deaf.user.id}> you",
        "psst",
        "my own words",
    ]
    past = [m.content async for m in lobby.history(oldest_first=True)]
    assert past == ["", f"<@{deaf.user.id}> you", "my own words"]
