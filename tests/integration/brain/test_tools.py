"""The tools on what was really heard."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from brain.errors import BadArguments
from brain.tools.registry import ToolResult, target_of
from storage import agents, record
from storage.acts import Act
from storage.errors import PermitRefused
from storage.latch import Latch
from storage.tables import AgentState, LineKind
from tests.integration.brain.stage import DAY, NOW, Brain, heard

Hear = Callable[..., Awaitable[list[int]]]


async def use(brain: Brain, name: str, asked: str = "", **arguments: Any) -> ToolResult:
    channel = arguments.pop("asked_in", "#lobby")
    permit = await brain.guard.permit(_tool_act(name))
    toolbox = brain.toolbox(asked, channel=channel)
    return await toolbox.call(name, arguments, permit)


def _tool_act(name: str) -> Act:
    return Act(
        agent="captain",
        verb="tool",
        target=target_of(name),
        reason="a test",
        trace_id="t",
        details={"command": name},
    )


async def said(brain: Brain, name: str, **arguments: Any) -> str:
    return (await use(brain, name, **arguments)).text


async def test_a_tool_runs_with_its_own_permit_only(brain: Brain) -> None:
    permit = await brain.guard.permit(_tool_act("now"))
    with pytest.raises(PermitRefused, match="not for tool tool:search"):
        await brain.toolbox().call("search", {"query": "mixer"}, permit)


async def test_search_shows_who_when_and_the_line_newest_first(brain: Brain) -> None:
    result = await use(brain, "search", query="big mixer")
    head, *rows = result.text.splitlines()
    assert head == "“big mixer”: 2 lines (by marlow 1, ines 1), newest first (UTC):"
    assert rows == [
        "09:26 <marlow> ines: the big mixer. a low hum, louder when the lamp is on",
        "09:26 <ines> marlow: the big mixer or the little one by the window?",
    ]
    async with brain.store.reading() as unit:
        lines = await record.tail(unit, "irc", "#lobby", 500)
    by_id = {line.id: line.text for line in lines}
    assert [by_id[i] for i in result.evidence_ids] == [row.split("> ", 1)[1] for row in rows]


async def test_an_excerpt_says_of_how_many(brain: Brain) -> None:
    head, *rows = (await said(brain, "search", query="mixer")).splitlines()
    assert len(rows) == 5
    assert "8 lines" in head
    assert "newest 5" in head


@pytest.mark.parametrize("query", ["nvidia driver", "drivers NVIDIA", "nvidia's driver"])
async def test_endings_order_and_case_do_not_matter(brain: Brain, query: str) -> None:
    assert "the 470 nvidia driver is on" in await said(brain, "search", query=query)


async def test_when_no_line_has_all_words_it_says_so(brain: Brain) -> None:
    text = await said(brain, "search", query="mixer inspector")
    assert text.startswith("No line has all the words of “mixer inspector”; nearest 5 of")


async def test_search_narrows_by_nick_channel_and_time(brain: Brain) -> None:
    assert "nobody called zork" in await said(brain, "search", query="mixer", nick="zork")
    by_tobi = await said(brain, "search", query="mixer", nick="TOBI")
    assert by_tobi.startswith("“mixer” by tobi: 1 line")
    assert "nothing about" in await said(brain, "search", query="mixer", hours=0.5)
    assert "nothing about" in await said(brain, "search", query="mixer", day="yesterday")
    assert "lines" in await said(brain, "search", query="mixer", day="2026-11-20", channel="#Lobby")


async def test_a_nick_alone_gives_the_latest_lines_also_mistyped(brain: Brain) -> None:
    head, newest, *_ = (await said(brain, "search", nick="brigit")).splitlines()
    assert head == "Lines by birgit: newest 5 of 11 (UTC):"
    assert newest.startswith("14:26 <birgit> I put it into the handbook")


async def test_search_needs_words_or_a_nick(brain: Brain) -> None:
    with pytest.raises(BadArguments, match="give 'query' or 'nick'"):
        await use(brain, "search")


@pytest.mark.parametrize(
    "query", ['"', "'", "AND OR NOT", "mixer*", "text:mixer", "(", "%_", "\x00", "ö" * 400]
)
async def test_no_query_breaks_search(brain: Brain, query: str) -> None:
    assert await said(brain, "search", query=query)


async def test_search_never_finds_the_question_nor_talk_with_agents(
    brain: Brain, hear: Hear
) -> None:
    await hear(
        heard("sam", "who knows the zither?", NOW),
        heard("sam", "captain: who mentioned the zither?", NOW),
        heard("ada", "@captain find the zither", NOW),
        heard("ada", "!search zither", NOW),
        heard("captain", "I have heard nothing about zither", NOW, agent="captain"),
    )
    result = await use(brain, "search", "who knows the zither?", query="zither")
    assert result.text == "I have heard nothing about “zither”."


async def test_private_talk_is_not_found_by_others(brain: Brain, hear: Hear) -> None:
    await hear(heard("ada", "my secret is the zither", NOW, channel="nick:captain"))
    assert "nothing about" in await said(brain, "search", query="zither")
    assert "nobody called ada" in await said(brain, "search", nick="ada")
    assert "never seen" in await said(brain, "seen", nick="ada")
    assert "nobody talk about" in await said(brain, "who_knows", topic="zither")
    (secret,) = await hear(heard("ada", "zither again", NOW, channel="nick:captain"))
    assert await said(brain, "read_around", message=secret) == f"I have no line {secret}."


async def test_a_long_line_is_cropped_around_what_was_looked_for(brain: Brain, hear: Hear) -> None:
    await hear(heard("ada", f"{'bla ' * 200}the zither hums{' bla' * 200}", NOW))
    row = (await said(brain, "search", query="zither")).splitlines()[1]
    assert "the zither hums" in row
    assert len(row) < 330


async def test_lines_of_another_channel_are_named_with_it(brain: Brain, hear: Hear) -> None:
    await hear(heard("ada", "the zither hums", DAY - timedelta(days=1), channel="#music"))
    text = await said(brain, "search", query="zither")
    assert text.splitlines()[1] == "#music 2026-11-19 00:00 <ada> the zither hums"


async def test_summary_tells_the_channel_by_its_own_lines(brain: Brain) -> None:
    head, *rows = (await said(brain, "summary")).splitlines()
    assert head.startswith("#lobby: 79 lines by 8 people (")
    assert "09:02 to 14:27 UTC" in head
    assert "nvidia driver" in head
    assert len(rows) == 4
    assert all(row.startswith("• ") and "→ <" in row for row in rows)
    assert any("the stream dropped twice" in row for row in rows)


async def test_summary_of_hours_of_a_day_and_of_nothing(brain: Brain) -> None:
    assert (await said(brain, "summary", hours=1.0)).startswith("#lobby in the last hour: 6 lines")
    assert (await said(brain, "summary", day="today")).startswith("#lobby today: 79 lines")
    nothing = await said(brain, "summary", day="yesterday")
    assert nothing == (
        "I have heard nothing in #lobby yesterday. The last line there is of 14:27 UTC."
    )


async def test_summary_without_a_period_is_of_the_last_day_that_had_lines(brain: Brain) -> None:
    brain.now = NOW + timedelta(days=400)
    head = (await said(brain, "summary")).splitlines()[0]
    assert head.startswith("#lobby: 79 lines")
    assert "2026-11-20 09:02 to 2026-11-20 14:27" in head


async def test_in_private_a_summary_is_of_the_busiest_channel(brain: Brain) -> None:
    assert (await said(brain, "summary", asked_in=None)).startswith("#lobby: 79 lines")


@pytest.mark.parametrize("name", ["#lobby", "lobby", "#LOBBY", "#loby", "#lobyb", "here"])
async def test_a_channels_name_may_be_mistyped(brain: Brain, name: str) -> None:
    assert (await said(brain, "stats", channel=name)).startswith("#lobby: 79 lines by 8 people")


async def test_stats_of_a_past_day_count_that_day_only(brain: Brain, hear: Hear) -> None:
    await hear(heard("ada", "a day later", NOW + timedelta(days=1)))
    brain.now = NOW + timedelta(days=1)
    text = await said(brain, "stats", day="yesterday")
    assert text.startswith("#lobby yesterday: 79 lines by 8 people")
    assert "Busiest hour: 09:00 UTC." in text
    assert (await said(brain, "stats", day="today")).startswith("#lobby today: 1 line by 1 person")


async def test_seen_tells_the_last_line(brain: Brain) -> None:
    assert await said(brain, "seen", nick="BIRGIT?") == (
        "birgit was last seen in #lobby at 14:26 UTC (34 minutes ago), saying: I put it into the "
        'handbook under "the stream dropped", with tobi\'s timeout and the fallback'
    )


async def test_seen_tells_who_left_and_their_last_words(brain: Brain, hear: Hear) -> None:
    await hear(heard("tobi", "home time", NOW, kind=LineKind.QUIT))
    text = await said(brain, "seen", nick="tobi")
    assert "at 15:00 UTC (just now), leaving (home time)." in text
    assert "Last words, at 14:20: the switch in the hallway is swapped" in text
    assert "quill_ was last seen in #lobby at 10:01 UTC (4 hours ago), taking the name quill" in (
        await said(brain, "seen", nick="quill_")
    )


async def test_seen_knows_the_agents(brain: Brain) -> None:
    assert (await said(brain, "seen", nick="harvester")).startswith("harvester is one of us: ")


async def test_who_knows_names_those_who_answered(brain: Brain) -> None:
    head, first, *_ = (await said(brain, "who_knows", topic="nvidia driver")).splitlines()
    assert head.startswith("Who knows about “nvidia driver”")
    assert first.startswith("tobi (1 line): #lobby 09:13 <tobi> quill: that card needs")


async def test_who_knows_and_who_can_name_agents(brain: Brain) -> None:
    assert "Agent harvester: " in await said(brain, "who_knows", topic="selling logs")
    assert (
        (await said(brain, "who_can", capability="sell logs"))
        .splitlines()[1]
        .startswith("harvester: ")
    )
    assert await said(brain, "who_can", capability="juggling") == (
        "No agent declares “juggling”. There is: sell-logs."
    )


async def test_read_around_shows_the_neighbours(brain: Brain) -> None:
    (found,) = (await use(brain, "search", query="handbook stream")).evidence_ids
    rows = (await said(brain, "read_around", message=found, lines=1)).splitlines()
    assert [row.split("<")[1].split(">")[0] for row in rows[1:]] == ["ines", "birgit", "nadia"]
    with pytest.raises(BadArguments, match="from 1 to 10"):
        await use(brain, "read_around", message=found, lines=11)


async def test_recent_reads_the_end_of_a_channel(brain: Brain) -> None:
    head, *rows = (await said(brain, "recent", lines=2)).splitlines()
    assert head == "The latest in #lobby (UTC):"
    assert [row.split("<")[1].split(">")[0] for row in rows] == ["nadia", "ines"]


async def test_status_is_the_state_of_every_agent(brain: Brain) -> None:
    assert await said(brain, "status") == "No agent is enrolled."
    async with brain.store.writing() as unit:
        for name in ("captain", "buyer"):
            await agents.enrol(unit, name, name, NOW)
            epoch = await agents.take(unit, name, "here", now=NOW, ttl_s=60)
            await agents.report(unit, name, epoch, now=NOW, state=AgentState.READY)
    assert await said(brain, "status") == "2 agents: 2 ready."
    async with brain.store.writing() as unit:
        await agents.report(unit, "buyer", 1, now=NOW, state=AgentState.DEAF, reason="no network")
    assert await said(brain, "status") == "2 agents: 1 deaf, 1 ready.\nbuyer: deaf (no network)."
    brain.latch = Latch("all", True, "olga", "irc", "enough", NOW)
    assert await said(brain, "status") == (
        "2 agents: 2 killed.\nEverybody is killed, by olga at 2026-11-20 15:00 UTC: enough."
    )


async def test_an_empty_record_is_told_plainly(store: Any) -> None:
    empty = Brain(store=store)
    assert await said(empty, "search", query="mixer") == "I have heard nothing about “mixer”."
    assert await said(empty, "summary") == "I have heard nothing in #lobby."
    assert await said(empty, "agents") == "No agent is configured."
    with pytest.raises(BadArguments, match="no channel yet"):
        await use(empty, "summary", asked_in=None)


async def test_summaries_and_searches_of_a_busy_channel_are_quick(brain: Brain, hear: Hear) -> None:
    async with brain.store.writing() as unit:
        lines = [
            heard(f"n{n % 90}", f"n{n % 7}: the mixer number {n} hums on channel {n % 11}", DAY)
            for n in range(2_500)
        ]
        await record.keep(unit, lines, 10**9)
    began_s = time.process_time()
    assert "the newest" in await said(brain, "summary", day="today")
    assert "100 lines or more" in await said(brain, "search", query="mixer")
    # Many times what it takes: only a change of order may fail here, not a busy machine.
    assert time.process_time() - began_s < 5
