"""Two agents talk in private: several turns in one conversation, bounded, ended by either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from bots.talking.telling import in_lines
from bots.talking.turn import TurnTalking, talk_limits
from brain.errors import ToolError
from brain.model import Completion, Conversation, Reader, ToolCall
from brain.models.scripted import Scripted
from brain.prompting.silence import SILENCE
from brain.tools.handing import delegate
from brain.tools.talking import end_talk, talk_with
from storage import audit, delegations, happenings, sessions, talks
from storage.core import TALK, run
from storage.delegation_tables import Delegation
from storage.happenings import Last
from storage.store import Store
from storage.talk_tables import Talk
from tests.integration.delegating.office import Office, office

TOOLS = (talk_with, end_talk, delegate)


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


def called(name: str, **arguments: str) -> Completion:
    return Completion(tool_calls=(ToolCall(id="1", name=name, arguments=arguments),))


def talked(*words: str, to: str = "secretary") -> list[Completion]:
    """What an agent does that says these one after the other, and then answers."""
    return [*(called("talk_with", agent=to, words=w) for w in words), Completion(text="I know now")]


@dataclass(frozen=True)
class Line:
    """A line of talk in a channel, as a turn sees it: `bots.answering.matter.Matter`."""

    trace_id: str
    sender: str = "alice"
    network: str = "irc"
    channel: str = "#lobby"
    session: str = "irc:#lobby"
    text: str = "captain: find it out"
    account: str | None = None
    said_by: str | None = None
    message_id: int | None = None
    hops: int = 0
    task: str = "inbox:1"
    delegation: Delegation | None = None
    may_reach_out: bool = False


def answers(*texts: str) -> Scripted:
    return Scripted([Completion(text=text) for text in texts])


def seen_by(model: Scripted) -> list[str]:
    """What tools gave a model in its last turn."""
    return [m.text for m in model.shown[-1].messages if m.role == "tool"]


async def opens(crew: Office, agent: str, script: Sequence[Completion], **more: str) -> Scripted:
    """The agent is asked for something, and talks with a peer about it."""
    model = Scripted(script)
    await crew.hire(agent, model, TOOLS)
    ended = await crew.ended(agent, await crew.give(agent, agent, "find it out", **more))
    assert ended.state == "done", ended.error
    return model


async def all_talks(crew: Office) -> list[tuple[Talk, list[Delegation]]]:
    async with crew.store.reading() as unit:
        codes = list((await run(unit, sa.select(TALK.c.code).order_by(TALK.c.id))).scalars())
        found = [(await talks.by_code(unit, code), await talks.turns(unit, code)) for code in codes]
    return [(talk, turns) for talk, turns in found if talk is not None]


async def test_the_turns_of_a_talk_are_one_conversation_of_the_peer(crew: Office) -> None:
    peer = answers("on Monday", "at nine")
    await crew.hire("secretary", peer)
    model = await opens(crew, "tech-lead", talked("When is it?", "At what time?"))
    [(talk, turns)] = await all_talks(crew)
    assert (talk.opener, talk.peer, talk.ended_at) == ("tech-lead", "secretary", None)
    assert [(t.kind, t.talk, t.instruction, t.result) for t in turns] == [
        ("talk", talk.code, "When is it?", "on Monday"),
        ("talk", talk.code, "At what time?", "at nine"),
    ]
    first, second = seen_by(model)
    assert f"{talk.code}: secretary: on Monday" in first
    assert "You may say 5 more things in this talk." in first
    assert "You may say 4 more things" in second
    # The peer was shown what was said before.
    assert any("When is it?" in m.text for m in peer.shown[-1].messages)
    async with crew.store.reading() as unit:
        known = await sessions.since_begun(unit, "secretary", f"talk:{talk.code}", 10)
        assert [(t.asker, t.asked, t.answer) for t in known] == [
            ("tech-lead", "When is it?", "on Monday"),
            ("tech-lead", "At what time?", "at nine"),
        ]
        tree = await delegations.tree(unit, turns[0].root_id or 0)
        for agent in ("tech-lead", "secretary"):
            assert await audit.verify(unit, agent) is None
    assert [t.kind for t in tree] == ["task", "talk", "talk"]
    assert list(in_lines(talk, turns)) == [
        f"{talk.code} tech-lead with secretary, open",
        "  tech-lead: When is it?",
        "  secretary: on Monday",
        "  tech-lead: At what time?",
        "  secretary: at nine",
    ]


async def test_either_ends_it_and_nobody_answers_that(crew: Office) -> None:
    await crew.hire("secretary", answers("on Monday"))
    script = [*talked("When is it?")[:1], called("end_talk", code="T-nothing")]
    model = await opens(crew, "tech-lead", [*script, Completion(text="well")])
    assert "you are in no talk T-nothing here" in seen_by(model)[-1]
    [(talk, _)] = await all_talks(crew)

    # The peer ends it in its own turn: its last words are heard, and then there is silence.
    await crew.hire(
        "secretary", Scripted([called("end_talk", why="that is all"), *says_last()]), TOOLS
    )
    model = await opens(crew, "tech-lead", talked("And where?", "And why?"))
    first, second = seen_by(model)
    assert "secretary: ask the map" in first
    assert "was ended by secretary: that is all" in first
    assert "answer with what you have" in second
    _, (theirs, turns) = await all_talks(crew)
    assert (theirs.ended_by, len(turns)) == ("secretary", 1)

    def ends(conversation: Conversation) -> Completion:
        found = [m.text for m in conversation.messages if m.role == "tool"]
        if not found:
            return called("talk_with", agent="secretary", words="And how?")
        if len(found) == 1:
            code = next(w for w in found[0].replace(":", " ").split() if w.startswith("T-"))
            return called("end_talk", code=code, why="I have it")
        return Completion(text="thanks")

    await crew.hire("secretary", answers("so"))
    model = Scripted(ends)
    await crew.hire("tech-lead", model, TOOLS)
    await crew.ended("tech-lead", await crew.give("tech-lead", "tech-lead"))
    assert "is over; nothing more is said in it" in seen_by(model)[-1]
    *_, (ours, turns) = await all_talks(crew)
    assert (ours.ended_by, ours.why, len(turns)) == ("tech-lead", "I have it", 1)
    assert talk.code != theirs.code != ours.code


def says_last() -> list[Completion]:
    return [Completion(text="ask the map")]


async def test_silence_of_the_peer_is_the_end(crew: Office) -> None:
    await crew.hire("secretary", answers(SILENCE))
    model = await opens(crew, "captain", talked("Hello?", "Hello again?"))
    assert "was ended by secretary: it had nothing to say" in seen_by(model)[0]
    [(talk, turns)] = await all_talks(crew)
    assert (talk.ended_by, len(turns)) == ("secretary", 1)


async def test_the_same_words_twice_end_it(crew: Office) -> None:
    await crew.hire("secretary", answers("on Monday", "on Tuesday"))
    model = await opens(crew, "captain", talked("When is it?", "When  is IT?"))
    assert "you said that before" in seen_by(model)[1]
    await crew.hire("secretary", answers("ask again"))
    model = await opens(crew, "tech-lead", talked("When is it?", "When then?", "Please?"))
    assert "secretary said the same twice" in seen_by(model)[1]
    found = await all_talks(crew)
    assert [(talk.ended_by, len(turns)) for talk, turns in found] == [("limit", 1), ("limit", 2)]


async def test_turns_and_cost_are_bounded(crew: Office) -> None:
    def allow(**limits: int | Decimal) -> None:
        changed = crew.settings.limits.model_copy(update=limits)
        crew.settings = crew.settings.model_copy(update={"limits": changed})

    allow(talk_turns=2)
    await crew.hire("secretary", answers("one", "two", "three"))
    model = await opens(crew, "captain", talked("a?", "b?", "c?"))
    assert "each of you said 2 things, and that is the most" in seen_by(model)[1]
    assert "answer with what you have" in seen_by(model)[2]

    allow(talk_turns=6, talk_usd=Decimal("0.01"))
    dear = Completion(text="that was dear", cost_nusd=20_000_000)
    await crew.hire("secretary", Scripted([dear]))
    model = await opens(crew, "tech-lead", talked("a?", "b?"))
    assert "it has cost as much as a talk may" in seen_by(model)[0]
    assert [len(turns) for _, turns in await all_talks(crew)] == [2, 1]


async def test_a_specialist_talks_with_captain_and_tech_lead_and_nobody_mediates(
    crew: Office,
) -> None:
    await crew.hire("captain", answers("yes"))
    model = await opens(crew, "buyer", talked("May I?", to="captain"))
    assert "captain: yes" in seen_by(model)[0]
    model = await opens(crew, "buyer", talked("May I?", to="secretary"))
    assert "buyer may not give work to secretary" in seen_by(model)[0]
    model = await opens(crew, "buyer", talked("May I?", to="nobody"))
    assert "there is no agent 'nobody'" in seen_by(model)[0]
    allowed, refused = await all_talks(crew)
    assert (len(allowed[1]), len(refused[1])) == (1, 0)
    assert refused[0].ended_at is not None
    entries = await crew.store.read(lambda unit: audit.entries(unit, "buyer", verb="delegate"))
    assert [(e.outcome, e.target) for e in entries if e.outcome == "refused"] == [
        ("refused", "agent:secretary")
    ]


async def test_a_talk_inside_a_talk_is_refused_also_for_who_works_for_it(crew: Office) -> None:
    inner = Scripted(talked("and you?", to="buyer"))
    await crew.hire("secretary", inner, TOOLS)
    await opens(crew, "captain", talked("What do you know?"))
    assert "this is part of a talk already" in seen_by(inner)[0]

    worker = Scripted(talked("and you?", to="buyer"))
    await crew.hire("harvester", worker, TOOLS)
    handing = called("delegate", agent="harvester", instruction="look it up")
    await crew.hire("tech-lead", Scripted([handing, Completion(text="looked up")]), TOOLS)
    await opens(crew, "captain", talked("Do you know?", to="tech-lead"))
    assert "this is part of a talk already" in seen_by(worker)[0]
    assert {talk.opener for talk, _ in await all_talks(crew)} == {"captain"}


async def test_nobody_talks_back_up_a_chain(crew: Office) -> None:
    model = Scripted(talked("Why?", to="captain"))
    await crew.hire("secretary", model, TOOLS)
    await crew.ended("captain", await crew.give("captain", "secretary"))
    assert "it came through captain's hands already" in seen_by(model)[0]


async def test_who_takes_a_turn_over_gets_the_answers_that_were_given(crew: Office) -> None:
    class Dies(Scripted):
        """Says two things, and is gone before it can answer."""

        def __init__(self) -> None:
            super().__init__(talked("When is it?", "At what time?"))
            self.came_far = asyncio.Event()

        async def query(
            self, conversation: Conversation, reader: Reader | None = None
        ) -> Completion:
            if self.times_asked == 2:
                self.came_far.set()
                await asyncio.Event().wait()
            return await super().query(conversation, reader)

    peer = answers("on Monday", "at nine", "at ten")
    await crew.hire("secretary", peer)
    dying = Dies()
    await crew.hire("captain", dying, TOOLS)
    given = await crew.give("captain", "captain", "find it out")
    async with asyncio.timeout(15):
        await dying.came_far.wait()
    model = Scripted(talked("When is it?", "At what time?"))
    await crew.hire("captain", model, TOOLS)
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.result) == ("done", "I know now")
    assert "at nine" in seen_by(model)[1]
    [(_, turns)] = await all_talks(crew)
    assert len(turns) == 2
    assert peer.times_asked == 2


async def test_a_talk_goes_on_only_where_it_was_opened(crew: Office) -> None:
    await crew.hire("secretary", answers("on Monday"))
    await opens(crew, "captain", talked("When is it?"))
    [(talk, _)] = await all_talks(crew)
    again = called("talk_with", agent="secretary", words="And then?", code=talk.code)
    model = await opens(crew, "captain", [again, Completion(text="well")])
    assert "was opened elsewhere" in seen_by(model)[0]
    for agent, code in (("tech-lead", talk.code), ("captain", "T-1")):
        again = called("talk_with", agent="secretary", words="And then?", code=code)
        model = await opens(crew, agent, [again, Completion(text="well")])
        assert f"you opened no talk {code} with secretary" in seen_by(model)[0]


async def test_a_later_turn_of_the_same_conversation_goes_on_by_code(crew: Office) -> None:
    peer = answers("on Monday", "at nine", "at ten")
    await crew.hire("secretary", peer)

    def turn(trace_id: str) -> TurnTalking:
        line = Line(trace_id=trace_id)
        return TurnTalking(crew["captain"].desk, talk_limits(crew.settings), line)

    first = await turn("one").say("secretary", "When is it?", "")
    [(talk, _)] = await all_talks(crew)
    second = await turn("two").say("secretary", "At what time?", talk.code.lower())
    assert (talk.code in first, f"{talk.code}: secretary: at nine" in second) == (True, True)
    with pytest.raises(ToolError, match="you said that before"):
        await turn("three").say("secretary", "when is it?", talk.code)
    [(talk, turns)] = await all_talks(crew)
    assert (talk.ended_by, len(turns)) == ("limit", 2)
    # What was asked in public may be told so.
    assert {(t.network, t.channel) for t in turns} == {("irc", "#lobby")}
    assert "secretary: at ten" in await turn("four").say("secretary", "When is it?", "")


async def test_what_was_said_is_told_once_to_who_tells_of_talk_between_agents(
    crew: Office,
) -> None:
    await crew.hire("secretary", answers("on Monday", "at nine"))
    place = {"network": "irc", "channel": "#lobby", "asked_by": "alice"}
    await opens(crew, "tech-lead", talked("When is it?", "At what time?"), **place)
    async with crew.store.reading() as unit:
        last = await happenings.last(unit)
        told = await happenings.exchanges(unit, Last(0, 0, 0), last)
        ends = [
            e.id or 0
            for e in await audit.entries(unit, "secretary", verb="transition")
            if '"to":"done"' in e.details
        ]
        parts = [
            await happenings.exchanges(unit, replace(last, audit=a), replace(last, audit=b))
            for a, b in zip([0, *ends], [*ends, last.audit], strict=True)
        ]
    assert [(e.speaker, e.listener, e.text, e.is_answer) for e in told] == [
        ("tech-lead", "secretary", "When is it?", False),
        ("secretary", "tech-lead", "on Monday", True),
        ("tech-lead", "secretary", "At what time?", False),
        ("secretary", "tech-lead", "at nine", True),
    ]
    assert {(e.network, e.channel) for e in told} == {("irc", "#lobby")}
    assert [len(part) for part in parts] == [2, 2, 0]
