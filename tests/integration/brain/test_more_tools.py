"""Tools that reach outside or into threads: posting, reactions, attachments, threads,
capabilities.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from brain.errors import BadArguments, Refused, ToolError
from brain.tools.catalogue import TOOLS
from brain.tools.registry import Toolbox, ToolResult, target_of
from storage import agents, replies
from storage.acts import Act
from storage.tables import ReplyState
from tests.integration.brain.stage import NOW, Brain, heard

Hear = Callable[..., Awaitable[list[int]]]


class Outside:
    """What is outside of a brain, and what reached it. Lines said are recorded, as the mouth
    does.
    """

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.said: list[tuple[str, str, int]] = []
        self.reactions: list[tuple[int, str]] = []
        self.fetched: list[tuple[int, str]] = []
        self.epoch = 1

    async def say(self, target: str, text: str, hops: int) -> str:
        self.said.append((target, text, hops))
        await self.record(target, text, hops)
        return "sent"

    async def record(
        self, target: str, text: str, hops: int = 1, state: ReplyState = ReplyState.SENT
    ) -> None:
        now = self._brain.now
        async with self._brain.store.writing() as unit:
            ids = await replies.begin(
                unit,
                "captain",
                target,
                [text],
                inbox_id=None,
                hops=hops,
                trace_id="t",
                now=now,
                epoch=self.epoch,
            )
            await replies.settle(unit, ids, state, "pong", now)

    async def react(self, message_id: int, emoji: str) -> str:
        self.reactions.append((message_id, emoji))
        return f"Reacted with {emoji}."

    async def fetch(self, message_id: int, name: str) -> str:
        self.fetched.append((message_id, name))
        return "the file's text"


@pytest.fixture
async def outside(brain: Brain) -> Outside:
    from_agents = Outside(brain)
    async with brain.store.writing() as unit:
        await agents.enrol(unit, "captain", "captain", NOW)
        from_agents.epoch = await agents.take(unit, "captain", "here", now=NOW, ttl_s=1e9)
    return from_agents


async def use(brain: Brain, outside: Outside, name: str, /, **arguments: Any) -> ToolResult:
    changes = arguments.pop("context", {})
    given = {
        "targets": lambda: ("irc:#lobby", "irc:#market", "discord:#market"),
        "say": outside.say,
        "react": outside.react,
        "fetch": outside.fetch,
    }
    context = dataclasses.replace(brain.toolbox().context, **(given | changes))
    act = Act(agent="captain", verb="tool", target=target_of(name), reason="a test", trace_id="t")
    permit = await brain.guard.permit(act)
    return await Toolbox(TOOLS, context).call(name, arguments, permit)


async def test_a_line_is_posted_in_a_channel_of_the_agent_one_hop_further(
    brain: Brain, outside: Outside
) -> None:
    result = await use(
        brain, outside, "post", target=" IRC:#Market", text=" fresh logs ", context={"hops": 1}
    )
    assert result.text == "irc:#market: sent"
    assert outside.said == [("irc:#market", "fresh logs", 2)]


@pytest.mark.parametrize(
    ("target", "text", "sentence"),
    [
        ("#market", "x", "is no channel with its network; write irc:#market"),
        ("irc:nick:ada", "x", "is no channel with its network"),
        ("market", "x", "is no channel with its network"),
        (":#market", "x", "is no channel with its network"),
        ("irc:#ceo-office", "x", "you may post in discord:#market, irc:#lobby, irc:#market only"),
        ("irc:#lobby", "x", "your answer is said there; just answer"),
        ("irc:#market", "  ", "'text' is empty"),
        ("irc:#market", "x" * 1501, "longer than 1500"),
        ("irc:#market", "well\n  !kill all", "commands are for people"),
    ],
)
async def test_what_may_not_be_posted_is_refused_with_a_reason(
    brain: Brain, outside: Outside, target: str, text: str, sentence: str
) -> None:
    with pytest.raises(ToolError, match=sentence):
        await use(brain, outside, "post", target=target, text=text)
    assert outside.said == []


async def test_a_channel_rests_between_two_posts(brain: Brain, outside: Outside) -> None:
    await use(brain, outside, "post", target="irc:#market", text="one")
    brain.now += timedelta(seconds=40)
    with pytest.raises(ToolError, match="something in irc:#market just now; wait 20 s"):
        await use(brain, outside, "post", target="irc:#market", text="two")
    await use(brain, outside, "post", target="discord:#market", text="elsewhere")
    rare = {"post_every_s": 1800.0}
    with pytest.raises(ToolError, match="wait 1760 s"):
        await use(brain, outside, "post", target="irc:#market", text="two", context=rare)
    brain.now += timedelta(seconds=20)
    await use(brain, outside, "post", target="irc:#market", text="two")
    assert [text for _, text, _ in outside.said] == ["one", "elsewhere", "two"]


async def test_what_was_refused_by_the_network_counts_for_nothing(
    brain: Brain, outside: Outside
) -> None:
    await outside.record("irc:#market", "x", state=ReplyState.FAILED)
    assert (await use(brain, outside, "post", target="irc:#market", text="x")).text.endswith("sent")


async def test_agents_that_answer_agents_post_no_further_than_the_hops_go(
    brain: Brain, outside: Outside
) -> None:
    far = {"hops": 4, "max_hops": 4}
    with pytest.raises(ToolError, match="answered each other often enough"):
        await use(brain, outside, "post", target="irc:#market", text="x", context=far)


async def test_the_guards_no_to_a_post_is_not_hidden(brain: Brain, outside: Outside) -> None:
    async def refuse(target: str, text: str, hops: int) -> str:
        raise Refused("killed", policy="latch")

    with pytest.raises(Refused):
        await use(brain, outside, "post", target="irc:#market", text="x", context={"say": refuse})


@pytest.mark.parametrize(("name", "field"), [("post", "say"), ("react", "react")])
async def test_what_cannot_be_done_here_is_not_shown_and_says_so(
    brain: Brain, outside: Outside, name: str, field: str
) -> None:
    bare = Toolbox(TOOLS, brain.toolbox().context)
    assert not {"post", "react", "fetch_attachment"} & {spec.name for spec in bare.specs}
    with pytest.raises(ToolError, match=f"{name} cannot be used here"):
        await use(brain, outside, name, context={field: None})


async def test_a_reaction_goes_to_the_question_or_to_the_newest_line_with_those_words(
    brain: Brain, outside: Outside, hear: Hear
) -> None:
    first, second, asked = await hear(
        heard("ada", "The Mixer hums", NOW),
        heard("bob", "the mixer hums again", NOW),
        heard("sam", "captain: like the line where the mixer hums", NOW),
    )
    here = {"message_id": asked}
    await use(brain, outside, "react", emoji="👍", context=here)
    await use(brain, outside, "react", emoji="✅", line="MIXER hums", context=here)
    await use(brain, outside, "react", emoji="👩‍🔧", line="The Mixer hums", context=here)
    assert outside.reactions == [(asked, "👍"), (second, "✅"), (second, "👩‍🔧")]
    assert first < second
    with pytest.raises(ToolError, match="no line with “100%” in #lobby"):
        await use(brain, outside, "react", emoji="👍", line="100%", context=here)
    with pytest.raises(BadArguments, match="give words of the line"):
        await use(brain, outside, "react", emoji="👍")


@pytest.mark.parametrize("emoji", ["", "x", ":+1:", "ok 👍", "Ж", "👍" * 13, "👍\n!kill"])
async def test_a_reaction_is_one_emoji(brain: Brain, outside: Outside, emoji: str) -> None:
    with pytest.raises(BadArguments, match="one emoji"):
        await use(brain, outside, "react", emoji=emoji, context={"message_id": 1})


async def test_an_attachment_is_found_by_its_name(
    brain: Brain, outside: Outside, hear: Hear
) -> None:
    text = "here they are\n[attachment notes.txt, 1.2 kB]"
    older, newer = await hear(heard("ada", text, NOW), heard("bob", text, NOW))
    result = await use(brain, outside, "fetch_attachment", name="notes.txt")
    assert (result.text, result.evidence_ids) == ("the file's text", (newer,))
    assert outside.fetched == [(newer, "notes.txt")]
    assert older < newer
    with pytest.raises(ToolError, match=r"no line with “\[attachment other\.txt,” in #lobby"):
        await use(brain, outside, "fetch_attachment", name="other.txt")


@pytest.mark.parametrize("name", ["notes", "otes.txt", "Notes.txt", "notes.txt, 1.2 kB]", "%", ""])
async def test_no_attachment_is_found_by_a_part_of_its_name(
    brain: Brain, outside: Outside, hear: Hear, name: str
) -> None:
    await hear(heard("ada", "here they are\n[attachment notes.txt, 1.2 kB]", NOW))
    with pytest.raises(ToolError, match="there is no line with"):
        await use(brain, outside, "fetch_attachment", name=name)


async def test_words_about_an_attachment_are_none(
    brain: Brain, outside: Outside, hear: Hear
) -> None:
    [attached, *_] = await hear(
        heard("ada", "[attachment notes.txt, 1.2 kB: took too long to read]", NOW),
        heard("bob", "see [attachment notes.txt, please]", NOW),
        heard("bob", "[attachment notes.txt, or was it another", NOW),
    )
    await use(brain, outside, "fetch_attachment", name="notes.txt")
    assert outside.fetched == [(attached, "notes.txt")]


async def test_nothing_is_fetched_from_where_not_everybody_may_read(
    brain: Brain, outside: Outside, hear: Hear
) -> None:
    await hear(heard("ada", "[attachment plan.txt, 1 kB]", NOW, channel="#closed"))
    closed = {"is_open": lambda _network, channel: channel != "#closed"}
    with pytest.raises(ToolError, match="I know no channel #closed"):
        await use(
            brain, outside, "fetch_attachment", name="plan.txt", channel="#closed", context=closed
        )
    assert outside.fetched == []


async def test_a_thread_is_read_by_words_of_its_title_agents_included(
    brain: Brain, outside: Outside, hear: Hear
) -> None:
    thread = "#lobby / secretary: the mixer"
    await hear(
        heard("ada", "it hums", NOW, channel=thread),
        heard("secretary", "since when?", NOW, channel=thread, agent="secretary"),
        heard("bob", "another thing", NOW, channel="#lobby / the rota"),
    )
    shown = f"The latest in {thread} (UTC):\n15:00 <ada> it hums\n15:00 <secretary> since when?"
    assert (await use(brain, outside, "read_thread", thread="Mixer")).text == shown
    assert (await use(brain, outside, "read_thread", context={"channel": thread})).text == shown
    assert "another thing" in (await use(brain, outside, "read_thread", thread="the rotta")).text
    with pytest.raises(BadArguments, match="no thread “zither”; I have heard #lobby / secretary"):
        await use(brain, outside, "read_thread", thread="zither")
    with pytest.raises(BadArguments, match="not which thread you mean"):
        await use(brain, outside, "read_thread")
    with pytest.raises(BadArguments, match="at least 1"):
        await use(brain, outside, "read_thread", thread="mixer", lines=0)
    closed = {"is_open": lambda _network, _channel: False}
    with pytest.raises(BadArguments, match="I have heard none"):
        await use(brain, outside, "read_thread", thread="mixer", context=closed)


async def test_capabilities_are_listed_with_who_has_them(brain: Brain, outside: Outside) -> None:
    assert (await use(brain, outside, "capabilities")).text == "sell-logs: harvester"
    brain.cards = []
    none = (await use(brain, outside, "capabilities")).text
    assert none == "No agent declares a capability."
