"""People use slash commands on the guild; the captain's application answers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from structlog.testing import capture_logs

from bots.clock import utc_now
from bots.discord.interactions import name_of
from bots.sandbox.server import build
from bots.sandbox.snowflake import named
from storage import audit, project_log, sessions
from storage.errors import PermitRefused
from storage.latch import Latch
from tests.integration.discord.swarm import Member, client, member
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import GUEST, Sandbox, config, serving


@pytest.fixture
async def captain(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Member]:
    operators = {"discord_roles": [str(named("role", "operators"))]}
    async with member(sandbox, tmp_path, operators=operators) as one:
        await one.synced()
        yield one


@pytest.fixture
async def you(sandbox: Sandbox, captain: Member) -> Client:
    """An operator, by role."""
    return await client(sandbox)


@pytest.fixture
async def guest(sandbox: Sandbox, captain: Member) -> Client:
    return await client(sandbox, GUEST)


async def answered(person: Client) -> dict[str, Any]:
    """The answer that stands in the place of the next acknowledgement."""
    shown = await person.ear.until("MESSAGE_CREATE")
    while not shown["flags"] & 128:
        shown = await person.ear.until("MESSAGE_CREATE")
    edited = await person.ear.until("MESSAGE_UPDATE")
    while edited["id"] != shown["id"]:
        edited = await person.ear.until("MESSAGE_UPDATE")
    return edited


async def answered_or_withdrawn(person: Client) -> None:
    """The acknowledgement is gone, or has become words."""
    shown = await person.ear.until("MESSAGE_CREATE")
    while True:
        frame = await person.ear.receive()
        if frame["t"] in ("MESSAGE_UPDATE", "MESSAGE_DELETE") and frame["d"]["id"] == shown["id"]:
            return


async def test_a_public_answer_stands_in_the_channel(you: Client, captain: Member) -> None:
    await you.use("agents")
    told = await answered(you)
    assert "captain" in told["content"]
    assert not told["flags"] & 64
    async with captain.store.reading() as unit:
        [said] = [e for e in await audit.entries(unit, "captain") if e.verb == "send"]
    assert said.target.startswith("discord:interaction:")
    assert said.outcome == "permitted"


async def test_a_private_answer_is_for_the_asker_alone(you: Client, guest: Client) -> None:
    await you.use("whoami")
    told = await answered(you)
    assert told["flags"] & 64
    assert "You are you on discord" in told["content"]
    assert "You may steer, by discord:role:" in told["content"]
    await guest.use("whoami")
    assert "You may not steer" in (await answered(guest))["content"]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("status", {}, "2 agents"),
        ("status", {"agent": "captain"}, "ready, idle"),
        ("status", {"agent": "rook"}, "rook: "),
        ("model", {}, "offline brain: no model is called: captain, rook"),
        ("usage", {}, "No turns yet"),
        ("search", {"words": "mixer", "hours": 2}, "mixer"),
        ("summary", {"channel": "lobby"}, "#lobby"),
        ("seen", {"nick": "alice"}, "alice"),
        ("stats", {"day": "today"}, "#lobby"),
        ("stats", {"day": "someday"}, "YYYY-MM-DD"),
        ("status", {"agent": "rok"}, "did you mean rook?"),
        ("new", {}, "begins anew anyway"),
        ("compact", {"agent": "rook"}, "nothing to make shorter"),
        ("status", {"agent": "project"}, "Nobody has said yet how the project stands."),
    ],
)
async def test_every_query_has_its_answer(
    you: Client, name: str, options: dict[str, Any], says: str
) -> None:
    await you.use(name, **options)
    assert says in (await answered(you))["content"]


async def test_help_is_longer_than_one_message(you: Client) -> None:
    await you.use("help")
    assert "/ask AGENT QUESTION" in (await answered(you))["content"]
    rest = await you.ear.until("MESSAGE_CREATE")
    assert "/kill-autonomous" in rest["content"]
    assert rest["flags"] & 64


async def test_an_operator_says_how_the_project_stands_and_others_may_not(
    you: Client, guest: Client, captain: Member
) -> None:
    async def told_to_all(by: Client, name: str, **options: Any) -> str:
        await by.use(name, **options)
        told = (await answered(you))["content"]
        assert (await answered(guest))["content"] == told
        return str(told)

    assert (await told_to_all(guest, "project", status="done")).startswith("No: ")
    told = await told_to_all(you, "project", status="great")
    assert "planned, active, blocked, paused, done" in told
    async with captain.store.reading() as unit:
        assert await project_log.standing(unit) is None
    sentence = "we wait for the mixer"
    told = await told_to_all(you, "project", status="blocked", sentence=sentence)
    assert "The project is blocked since" in told
    told = await told_to_all(guest, "status", agent="project")
    assert "(discord:" in told
    assert told.endswith(": we wait for the mixer")


async def test_ask_puts_the_question_into_the_agents_inbox(you: Client, captain: Member) -> None:
    await you.use("ask", agent="rook", question="who said @everyone?")
    told = await answered(you)
    assert told["content"] == "you asks rook: who said @everyone?"
    assert told["mention_everyone"] is False
    [work] = await captain.inbox("rook")
    assert (work.text, work.sender, work.session) == (
        "rook: who said @everyone?",
        "you",
        "discord:#lobby",
    )
    assert work.priority > 0
    assert captain.nudged == ["rook"]


async def test_an_agent_is_asked_wherever_its_bot_may_see(
    sandbox: Sandbox, captain: Member
) -> None:
    you = await client(sandbox, channel="task-board")
    await you.use("ask", agent="captain", question="well?")
    assert "captain" in (await answered(you))["content"]
    assert len(await captain.inbox("captain")) == 1


async def test_stop_ends_the_work_here_and_tells_the_others(you: Client, captain: Member) -> None:
    await you.use("stop")
    assert (await answered(you))["content"] == "Told captain, rook to stop."
    assert captain.stopped == [("discord:#lobby", "you")]
    [work] = await captain.inbox("rook")
    assert (work.text, work.priority) == ("rook: !stop", 0)
    assert await captain.inbox("captain") == []


async def test_new_begins_a_conversation_anew_and_compact_makes_one_shorter(
    you: Client, captain: Member
) -> None:
    for number in range(6):
        async with captain.store.writing() as unit:
            key = await sessions.open_session(unit, "rook", "discord:#lobby", utc_now())
            await sessions.add_turn(
                unit,
                key,
                asker="you",
                asked=f"what about the mixer and its fuse number {number}?",
                answer=f"the mixer needs a new fuse, said alice, number {number}",
                model="offline",
                started_at=utc_now(),
                finished_at=utc_now(),
                trace_id="t",
                steps=2,
            )
    await you.use("compact")
    assert "rook: 6 turns became" in (await answered(you))["content"]
    async with captain.store.reading() as unit:
        known = await sessions.history(unit, "rook", "discord:#lobby", 4)
    assert "mixer" in known.digest
    assert known.turns == ()
    await you.use("usage", agent="rook")
    assert "today 6 turns, 12 steps, 6 answers" in (await answered(you))["content"]
    async with captain.store.writing() as unit:
        key = await sessions.open_session(unit, "captain", "discord:#lobby", utc_now())
        await sessions.add_turn(
            unit,
            key,
            asker="you",
            asked="are you there?",
            answer="yes",
            model="offline",
            started_at=utc_now(),
            finished_at=utc_now(),
            trace_id="t",
            steps=1,
        )
    await you.use("usage", agent="captain")
    assert "today 1 turn, 1 step, 1 answer;" in (await answered(you))["content"]
    await you.use("new", agent="rook")
    assert "A new conversation with rook" in (await answered(you))["content"]
    async with captain.store.reading() as unit:
        known = await sessions.history(unit, "rook", "discord:#lobby", 4)
    assert (known.digest, known.turns) == ("", ())


async def test_options_are_completed_from_memory(you: Client) -> None:
    await you.use("ask", kind=4, agent=("ro",))
    told = await you.ear.until("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    assert [c["value"] for c in told["choices"]] == ["rook"]
    await you.use("kill-autonomous", kind=4, agent=("",))
    told = await you.ear.until("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    assert [c["value"] for c in told["choices"]] == ["all", "captain", "rook"]


async def test_an_operator_kills_and_is_told_who_stopped(you: Client, captain: Member) -> None:
    await you.use("kill-autonomous", reason="it loops")
    told = await answered(you)
    assert told["content"] == captain.said
    assert not told["flags"] & 64
    [spread] = captain.spread
    assert (spread.scope, spread.reason, spread.door) == ("all", "it loops", "discord:#lobby")
    assert spread.by.startswith("you (discord:role:")
    assert captain.file.killed("rook") is not None
    [wish] = captain.asked
    assert wish["words"] == "kill all it loops"
    assert wish["discord_user"] == you.ear.ready["user"]["id"]
    assert wish["account"] is None


async def test_who_is_no_operator_kills_nobody_and_reads_no_decisions(
    guest: Client, captain: Member
) -> None:
    tries: tuple[tuple[str, dict[str, Any]], ...] = (
        ("kill-autonomous", {}),
        ("resume", {"agent": "all", "reason": "please"}),
        ("restart", {"agent": "all"}),
        ("audit", {}),
    )
    for name, options in tries:
        await guest.use(name, **options)
        told = await answered(guest)
        assert "only an operator may do that" in told["content"]
        assert told["flags"] & 64
    assert (captain.spread, captain.asked, captain.switch.latch) == ([], [], None)


async def test_an_operator_reads_decisions_and_that_their_chain_holds(you: Client) -> None:
    await you.use("agents")
    await answered(you)
    await you.use("audit")
    text = (await answered(you))["content"]
    assert "the chain holds" in text
    assert "send discord:interaction:" in text


async def test_a_kill_needs_no_store(you: Client, captain: Member) -> None:
    await captain.store.close()
    await you.use("kill-autonomous", agent="captain")
    await answered_or_withdrawn(you)
    assert [latch.scope for latch in captain.spread] == ["captain"]


async def test_a_killed_captain_says_by_whom_and_when_and_nothing_else(
    you: Client, captain: Member
) -> None:
    latch = Latch("all", True, "sam", "test", "enough", utc_now())
    captain.file.kill("all", "sam", "test", "enough", latch.changed_at)
    captain.switch.apply(latch)
    await you.use("search", words="mixer")
    assert "captain was killed by sam at" in (await answered(you))["content"]
    await you.use("status", agent="rook")
    assert "rook: killed by sam" in (await answered(you))["content"]
    await you.use("resume", agent="all", reason="calm again")
    captain.said = "resumed all"
    assert (await answered(you))["content"]
    assert captain.asked[-1]["words"] == "resume all calm again"


async def test_it_is_acknowledged_while_the_store_is_busy(you: Client, captain: Member) -> None:
    async with captain.store.writing():
        await you.use("status")
        shown = await you.ear.until("MESSAGE_CREATE")
        assert shown["flags"] & 128
    edited = await you.ear.until("MESSAGE_UPDATE")
    assert edited["id"] == shown["id"]


async def test_sixty_at_once_are_acknowledged_and_answered(
    sandbox: Sandbox, you: Client, captain: Member
) -> None:
    for _ in range(60):
        await you.use("agents")
    done: set[str] = set()
    async with asyncio.timeout(30):
        while len(done) < 60:
            frame = await you.ear.receive()
            assert frame["t"] != "INTERACTION_FAILURE"
            if frame["t"] == "MESSAGE_UPDATE" and not frame["d"]["flags"] & 128:
                done.add(frame["d"]["id"])


async def test_where_agents_only_listen_an_answer_is_seen_by_the_asker_alone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    channels = [{"name": "#lobby", "everybody": True, "listen_only": True}]
    async with member(sandbox, tmp_path, channels=channels) as one:
        await one.synced()
        you = await client(sandbox)
        await you.use("agents")
        assert (await answered(you))["flags"] & 64


async def test_an_interaction_that_expired_is_logged_and_nothing_more(
    you: Client, captain: Member
) -> None:
    captain.holds_back = True
    await you.use("agents")
    await you.ear.until("INTERACTION_FAILURE")
    captain.holds_back = False
    with capture_logs() as logs:
        captain.slash.on_interaction(captain.held.pop())
        await you.use("model")
        await answered(you)
    assert [e["event"] for e in logs if e["event"].startswith("interaction")] == [
        "interaction_expired"
    ]


async def test_a_kill_counts_even_when_its_interaction_has_expired(
    you: Client, captain: Member
) -> None:
    captain.holds_back = True
    await you.use("kill-autonomous")
    await you.ear.until("INTERACTION_FAILURE")
    captain.slash.on_interaction(captain.held.pop())
    await captain.until(lambda: bool(captain.spread))
    assert captain.switch.latch is not None


async def post_card(captain: Member, you: Client, custom_id: str) -> dict[str, Any]:
    """A message of the captain's with one button."""
    client_, _ = captain.http
    button = {"type": 2, "style": 1, "label": "Press", "custom_id": custom_id}
    row = {"type": 1, "components": [button]}
    lobby = next(k for k, n in captain.transport.places().items() if n.name == "#lobby")
    route = discord.http.Route(
        "POST", "/channels/{channel_id}/messages", channel_id=lobby.removeprefix("channel:")
    )
    await client_.request(route, json={"content": "a card", "components": [row]})
    shown = await you.ear.until("MESSAGE_CREATE")
    while not shown["components"]:
        shown = await you.ear.until("MESSAGE_CREATE")
    return shown


async def test_the_rest_of_an_answer_that_waits_when_a_kill_comes_never_leaves(
    tmp_path: Path,
) -> None:
    limits = {"webhooks": 1, "webhooks_per_s": 3.0}
    async with (
        serving(build(config(limits=limits))) as sandbox,
        member(sandbox, tmp_path) as captain,
    ):
        you = await client(sandbox)
        captain.holds_back = True
        await captain.synced()
        await you.use("agents")
        await captain.until(lambda: bool(captain.held))
        interaction, answers = captain.held.pop(), captain.slash.front._answers
        await answers.acknowledge(interaction, private=False)
        text = "word " * 1_200
        permit = await answers.permit(interaction, text, command="agents", why="w", trace_id="t")
        saying = asyncio.create_task(answers.say(interaction, text, permit, private=False))
        while (await you.ear.until("MESSAGE_CREATE"))["flags"] & 128:
            pass
        async with asyncio.timeout(1):
            while not captain.transport.speech._leaving:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0)
            captain.switch.apply(Latch("all", True, "sam", "test", "enough", utc_now()))
            captain.transport.hush()
            with pytest.raises(PermitRefused):
                await saying
        channel = interaction.channel_id
        assert len(await sandbox.person().history(str(channel))) == 2
        # What a killed agent may say still leaves.
        permit = await answers.permit(interaction, "x", command="status", why="w", trace_id="t")
        assert await answers.say(interaction, "killed", permit, private=False)


async def test_an_error_of_ours_leaves_no_promise_of_an_answer(
    you: Client, captain: Member
) -> None:
    async def broken(*_: object) -> str:
        raise RuntimeError("nobody thought of that")

    captain.slash.front._answer = broken
    with capture_logs() as logs:
        await you.use("agents")
        shown = await you.ear.until("MESSAGE_CREATE")
        assert (await you.ear.until("MESSAGE_DELETE"))["id"] == shown["id"]
    assert "interaction_failed" in [e["event"] for e in logs]


async def test_a_button_goes_to_the_handler_of_its_prefix(you: Client, captain: Member) -> None:
    pressed: list[str] = []

    async def approve(interaction: discord.Interaction) -> None:
        pressed.append(name_of(interaction))
        await interaction.response.edit_message(content="approved", view=None)

    captain.slash.front.components["approval"] = approve
    card = await post_card(captain, you, "approval:yes:7")
    await you.press(card, "approval:yes:7")
    assert (await you.ear.until("MESSAGE_UPDATE"))["content"] == "approved"
    assert pressed == ["approval:yes:7"]


async def test_a_button_that_nobody_knows_gets_a_sentence(you: Client, captain: Member) -> None:
    card = await post_card(captain, you, "forged:yes")
    await you.press(card, "forged:yes")
    told = await answered(you)
    assert told["content"] == "That does nothing here any more."
    assert told["flags"] & 64
