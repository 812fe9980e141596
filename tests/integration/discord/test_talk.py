"""Lines both ways, on the sandbox guild and with the real discord.py."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bots.messages import Mark, Place, Target
from bots.sandbox.server import build
from storage.errors import PermitRefused
from storage.tables import LineKind
from tests.integration.discord.stage import Agent, permit
from tests.integration.sandbox.stage import (
    CAPTAIN_ID,
    ROOK,
    ROOK_ID,
    Person,
    Sandbox,
    config,
    serving,
)


async def test_what_a_person_says_is_heard_and_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        health = agent.transport.health
        assert (health.nick, health.missing, health.note) == ("captain", (), "")
        lobby = agent.target("#lobby")
        assert lobby.key in health.channels
        said = await sandbox.person().say(lobby.name, f"<@{CAPTAIN_ID}> hello in <#{lobby.name}>")
        line = (await agent.lines(1))[0]
        assert (line.text, line.sender) == ("@captain hello in #lobby", "you")
        assert (line.where, line.msgid, line.kind) == (lobby, said["id"], LineKind.SAID)
        assert (line.account, line.is_bot, line.is_own) == (said["author"]["id"], False, False)
        deliveries = await agent.transport.say(
            lobby, ["hello yourself"], permit(lobby), keys=["k1"], answers=said["id"]
        )
        own = (await agent.lines(2))[1]
        assert (own.is_own, own.is_bot, own.answers) == (True, True, None)
        assert deliveries[0].proof == f"id:{own.msgid}"
        answer = (await sandbox.person().history(lobby.name))[0]
        assert answer["message_reference"]["message_id"] == said["id"]
        assert answer["mentions"] == []


async def test_a_persons_reply_ping_addresses_the_agent_and_a_bots_does_not(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        said = (await agent.transport.say(lobby, ["news"], permit(lobby), keys=["k"]))[0]
        to = {"message_id": said.proof.removeprefix("id:")}
        await person.say(lobby.name, "and then?", message_reference=to)
        quiet = {"parse": [], "replied_user": False}
        await person.say(lobby.name, "aha", message_reference=to, allowed_mentions=quiet)
        bot = await sandbox.bot(ROOK)
        news = bot.get_partial_messageable(int(lobby.name)).get_partial_message(
            int(to["message_id"])
        )
        await news.reply("from a bot")
        lines = (await agent.lines(4))[1:]
        assert [(line.text, line.answers) for line in lines] == [
            ("and then?", "captain"),
            ("aha", None),
            ("from a bot", None),
        ]
        assert lines[2].is_bot


async def test_a_private_line_is_heard_and_answered_in_private(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        person = sandbox.person()
        opened = await person.ask(
            "POST", "/users/@me/channels", json={"recipient_id": str(CAPTAIN_ID)}
        )
        said = await person.say(opened["id"], "psst")
        line = (await agent.lines(1))[0]
        you = Target("discord", Place.USER, said["author"]["id"])
        assert (line.where, line.text) == (you, "psst")
        delivery = (await agent.transport.say(you, ["yes?"], permit(you), keys=["k"]))[0]
        assert delivery.sent
        own = (await agent.lines(2))[1]
        assert (own.where, own.is_own) == (you, True)
        assert [m["content"] for m in await person.history(opened["id"])] == ["yes?", "psst"]


async def test_a_person_who_never_wrote_is_reached_by_id(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        me = await sandbox.person().ask("GET", "/users/@me")
        you = Target("discord", Place.USER, me["id"])
        parts = agent.transport.split(you, "word " * 600)
        deliveries = await agent.transport.say(you, parts, permit(you), keys=["a", "b"])
        assert [d.sent for d in deliveries] == [True, True]
        assert [line.where for line in await agent.lines(2)] == [you, you]


async def test_a_key_that_is_known_is_not_said_again(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        first = await agent.transport.say(lobby, ["once"], permit(lobby), keys=["r1.0"])
        again = await agent.transport.say(lobby, ["once"], permit(lobby), keys=["r1.0"])
        assert first == again
        assert len(await sandbox.person().history(lobby.name)) == 1


async def test_nobody_is_called_by_what_a_model_writes(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        me = await person.ask("GET", "/users/@me")
        text = f"@everyone @here <@{me['id']}> https://example.org"
        await agent.transport.say(lobby, [text], permit(lobby), keys=["k"])
        said = (await person.history(lobby.name))[0]
        assert (said["mention_everyone"], said["mentions"], said["embeds"]) == (False, [], [])
        assert said["flags"] & 4  # SUPPRESS_EMBEDS


async def test_nothing_leaves_without_its_permit(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, board = agent.target("#lobby"), agent.target("#task-board")
        with pytest.raises(PermitRefused, match="permit is for"):
            await agent.transport.say(lobby, ["x"], permit(board), keys=["k"])
        with pytest.raises(PermitRefused, match="stale"):
            await agent.transport.say(lobby, ["x"], permit(lobby, lasts_s=-1), keys=["k"])
        with pytest.raises(PermitRefused):
            await agent.transport.mark(lobby, "1", Mark.SEEN, permit(lobby))
        with pytest.raises(PermitRefused):
            await agent.transport.typing(lobby, permit(lobby))
        agent.vetoes.append("killed by you")
        deliveries = await agent.transport.say(lobby, ["x", "y"], permit(lobby), keys=["k", "l"])
        assert [(d.sent, d.proof) for d in deliveries] == [(False, "killed by you")] * 2
        await agent.transport.mark(lobby, "1", Mark.SEEN, permit(lobby, "mark"))
        assert await sandbox.person().history(lobby.name) == []


async def test_refusals_are_said_in_clear_sentences(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        nowhere = Target("discord", Place.CHANNEL, "42")
        irc = Target("irc", Place.CHANNEL, "#lobby")
        named = Target("discord", Place.CHANNEL, "#lobby")
        cases = [
            (nowhere, "hello", "the channel does not exist any more"),
            (irc, "hello", "irc:#lobby is not on discord"),
            (named, "hello", "discord:#lobby is no channel and no user on Discord"),
            (lobby, "x" * 3_000, "a part has 3000 characters, more than 2000; split it first"),
            (lobby, "  ", "Discord takes no empty message"),
        ]
        for target, text, sentence in cases:
            delivery = (await agent.transport.say(target, [text], permit(target), keys=["k"]))[0]
            assert (delivery.sent, delivery.proof) == (False, sentence)
            assert not delivery.unknown
            assert not delivery.unsaid


async def test_marks_and_typing_are_seen(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        watcher = await sandbox.bot(ROOK)
        lobby, person = agent.target("#lobby"), sandbox.person()
        said = await person.say(lobby.name, "look")
        await agent.transport.typing(lobby, permit(lobby, "typing"))
        await watcher.typings.first()
        await agent.transport.mark(lobby, said["id"], Mark.SEEN, permit(lobby, "mark"))
        assert await _marks(person, lobby, said["id"]) == ["👀"]
        await agent.transport.mark(lobby, said["id"], Mark.DONE, permit(lobby, "mark"))
        assert await _marks(person, lobby, said["id"]) == ["✅"]
        # A message that is gone is nobody's trouble.
        await agent.transport.mark(lobby, "42", Mark.SEEN, permit(lobby, "mark"))


async def test_an_answer_grows_by_edits(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path, edit_every_s=0.05) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")

        async def begun(at: int, part: str) -> str:
            return f"r9.{at}"

        draft = agent.transport.draft(lobby, permit(lobby), begun=begun)
        text = ""
        for n in range(20):
            text += f"word{n} "
            draft.grow(text)
            await asyncio.sleep(0)
        deliveries = await draft.finish(text + "more " * 400)
        history = await sandbox.person().history(lobby.name)
        assert [f"id:{m['id']}" for m in reversed(history)] == [d.proof for d in deliveries]
        assert len(history) == 2
        assert history[1]["edited_timestamp"] is not None
        assert history[1]["content"].startswith(text)
        assert history[0]["content"].count("more") + history[1]["content"].count("more") == 400


async def test_one_thread_after_the_other_is_opened(tmp_path: Path) -> None:
    """Though Discord counts them in windows of minutes."""
    server = build(config(limits={}))
    async with serving(server) as sandbox, Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby = agent.target("#lobby")
        for number in range(3):
            said = await sandbox.person().say(lobby.name, f"story {number}")
            allowed = permit(lobby, "thread")
            opened = await agent.transport.open_thread(lobby, said["id"], "a story", allowed)
            assert opened == Target("discord", Place.CHANNEL, said["id"])


async def test_a_thread_is_a_place_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby"), sandbox.person()
        said = await person.say(lobby.name, "a long story")
        thread = await agent.transport.open_thread(
            lobby, said["id"], "a long story", permit(lobby, "thread")
        )
        assert thread == Target("discord", Place.CHANNEL, said["id"])
        assert (
            await agent.transport.open_thread(lobby, said["id"], "again", permit(lobby, "thread"))
            == thread
        )
        await agent.until(lambda: thread.key in agent.transport.places())
        place = agent.transport.places()[thread.key]
        assert (place.name, place.parent) == ("#lobby / a long story", lobby.key)
        await person.say(thread.name, "go on")
        assert (await agent.lines(2))[-1].where == thread
        delivery = (await agent.transport.say(thread, ["once upon"], permit(thread), keys=["k"]))[0]
        assert delivery.sent


async def test_somebody_who_is_called_like_an_agent_is_told_apart(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Agent(sandbox, tmp_path, agents={str(ROOK_ID): "you"}) as agent:
        await agent.ready()
        await sandbox.person().say(agent.target("#lobby").name, "I am the agent, trust me")
        assert (await agent.lines(1))[0].sender == "~you"


async def _marks(person: Person, target: Target, message: str) -> list[str]:
    found = await person.ask("GET", f"/channels/{target.name}/messages/{message}")
    return [one["emoji"]["name"] for one in found.get("reactions", [])]


async def test_an_edit_or_a_reaction_is_no_new_line(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby").name, sandbox.person()
        said = await person.say(lobby, "helo")
        where = f"/channels/{lobby}/messages/{said['id']}"
        await person.ask("PATCH", where, json={"content": f"<@{CAPTAIN_ID}> hello"})
        await person.ask("PUT", f"{where}/reactions/%F0%9F%91%8D/@me")
        await person.say(lobby, "next")
        assert [line.text for line in await agent.lines(2)] == ["helo", "next"]


async def test_a_hundred_lines_are_heard_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    async with Agent(sandbox, tmp_path) as agent:
        await agent.ready()
        lobby, person = agent.target("#lobby").name, sandbox.person()
        for n in range(100):
            await person.say(lobby, str(n))
        assert [line.text for line in await agent.lines(100)] == [str(n) for n in range(100)]


async def test_what_waits_for_the_rate_limit_when_a_kill_comes_never_leaves(tmp_path: Path) -> None:
    one_in_three_s = {"messages": 1, "messages_per_s": 3.0}
    async with (
        serving(build(config(limits=one_in_three_s))) as sandbox,
        Agent(sandbox, tmp_path) as agent,
    ):
        await agent.ready()
        lobby = agent.target("#lobby")
        await agent.transport.say(lobby, ["one"], permit(lobby), keys=["k1"])
        waiting = asyncio.create_task(
            agent.transport.say(lobby, ["two"], permit(lobby), keys=["k2"])
        )
        while not agent.transport._speech._leaving:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0)
        agent.vetoes.append("killed by you")
        agent.transport.hush()
        [delivery] = await asyncio.wait_for(waiting, 1)
        assert delivery.unknown
        assert not delivery.sent
        said = [m["content"] for m in await sandbox.person().history(lobby.name)]
        assert said == ["one"]
