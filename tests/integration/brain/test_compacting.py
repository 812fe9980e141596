"""A conversation becomes shorter: in a model's words where there is one, in its own otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bots.secrets import Redactor
from brain.compaction import Compactor
from brain.errors import ContextOverflow, ModelFailed
from brain.model import Capabilities, Completion, Conversation, Occasion, Reader, Role, Stop
from brain.prompting.assembling import Assembler
from brain.prompting.fencing import Fence
from brain.prompting.summarising import Summariser, portions
from brain.prompting.templates import Templates
from brain.prompting.tokens import estimate, of_conversation
from storage import sessions
from storage.core import TURN, run
from storage.sessions import History
from storage.store import Store
from storage.tables import Turn
from tests.integration.brain.stage import PROMPTS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "irc:#lobby"
OCCASION = Occasion(agent="rook", session=KEY, task="compact", trace_id="t")
SECRET = "sk-live-0123456789abcdef0123"


@dataclass
class Scribe:
    """A model that summarises as it is told to, or fails; keeps what it was shown."""

    say: Callable[[int], Completion]
    context_tokens: int = 100_000
    shown: list[Conversation] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "scribe"
    label: str = "scribe"

    def __post_init__(self) -> None:
        self.go_on.set()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            tools=False, streaming=False, json_schema=False, context_tokens=self.context_tokens
        )

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.shown.append(conversation)
        self.asked.set()
        await self.go_on.wait()
        if of_conversation(conversation) > self.context_tokens:
            raise ContextOverflow("too long for me")
        return self.say(len(self.shown))


def scribe(context_tokens: int = 100_000) -> Scribe:
    return Scribe(lambda number: Completion(text=f"alice wants fuses ({number})"), context_tokens)


def failing(error: ModelFailed) -> Scribe:
    def fail(number: int) -> Completion:
        raise error

    return Scribe(fail)


def compactor(store: Store, model: Scribe | None, prompts: Templates | None = None) -> Compactor:
    redact = Redactor([SECRET]).redact
    assembler = Assembler(prompts or Templates(PROMPTS), Fence(b"k" * 32), redact)
    return Compactor(
        agent="rook",
        store=store,
        in_words=Summariser("rook", model, assembler) if model else None,
        redact=redact,
        clock=lambda: NOON + timedelta(hours=1),
    )


async def converse(store: Store, *pairs: tuple[str, str]) -> None:
    async with store.writing() as unit:
        session = await sessions.open_session(unit, "rook", KEY, NOON)
        for asked, answer in pairs:
            await sessions.add_turn(
                unit,
                session,
                asker="alice",
                asked=asked,
                answer=answer,
                model="m",
                started_at=NOON,
                finished_at=NOON,
                trace_id="t",
            )


async def known(store: Store) -> History:
    async with store.reading() as unit:
        return await sessions.history(unit, "rook", KEY, 50)


TALK = [
    ("who broke the mixer?", "bob broke the mixer"),
    ("what does the mixer need?", "the mixer needs a fuse"),
    ("who has a fuse?", "carol has a fuse"),
]


async def test_a_model_writes_the_memory_and_the_turns_stay(store: Store) -> None:
    await converse(store, *TALK)
    model = scribe()
    done = await compactor(store, model).compact(KEY, OCCASION)
    assert done is not None
    assert (done.turns, done.digest, done.by_model) == (3, "alice wants fuses (1)", True)
    [shown] = model.shown
    assert shown.occasion == OCCASION
    assert shown.max_output_tokens
    assert shown.system.startswith("You write the memory of rook")
    assert [m.role for m in shown.messages] == [Role.USER]
    assert "alice: who broke the mixer?\nrook: bob broke the mixer\n</untrusted-" in (
        shown.messages[0].text
    )
    assert await known(store) == History("alice wants fuses (1)", ())
    async with store.reading() as unit:
        assert (await run(unit, sa.select(sa.func.count()).select_from(TURN))).scalar() == 3


async def test_the_old_memory_goes_into_the_new_one(store: Store) -> None:
    await converse(store, *TALK)
    model = scribe()
    maker = compactor(store, model)
    await maker.compact(KEY)
    await converse(store, ("and a lamp?", "dora has one"))
    done = await maker.compact(KEY)
    assert done is not None
    assert done.turns == 1
    text = model.shown[-1].messages[0].text
    assert "alice wants fuses (1)" in text
    assert "who broke" not in text
    assert (await known(store)).digest == "alice wants fuses (2)"


async def test_the_newest_exchange_can_stay_word_for_word(store: Store) -> None:
    await converse(store, *TALK)
    done = await compactor(store, scribe()).make_room(KEY)
    assert done is not None
    assert done.turns == 2
    history = await known(store)
    assert (history.digest[:5], [t.asked for t in history.turns]) == ("alice", ["who has a fuse?"])


async def test_a_session_is_made_shorter_when_its_window_overflows(store: Store) -> None:
    await converse(store, *TALK)
    model = scribe()
    maker = compactor(store, model)
    assert await maker.tidy(KEY, OCCASION, tokens=500, size=len) is None
    assert model.shown == []
    done = await maker.tidy(KEY, OCCASION, tokens=90, size=len)
    assert done is not None
    assert done.turns == 2
    assert await maker.tidy(KEY, OCCASION, tokens=90, size=len) is None
    # What does not fit by itself goes into the memory too.
    await maker.make_room(KEY, OCCASION)
    await converse(store, ("x" * 200, "y" * 200))
    assert await maker.tidy(KEY, OCCASION, tokens=90, size=len) is not None
    assert (await known(store)).turns == ()


@pytest.mark.parametrize(
    "model",
    [
        None,
        failing(ContextOverflow("too long")),
        failing(ModelFailed("no")),
        Scribe(lambda _: Completion(text="  ")),
        Scribe(lambda _: Completion(text="I would rather not", stop=Stop.REFUSED)),
    ],
    ids=["none", "overflow", "failed", "empty", "refused"],
)
async def test_without_a_usable_model_its_own_words_do(store: Store, model: Scribe | None) -> None:
    await converse(store, *TALK)
    done = await compactor(store, model).compact(KEY)
    assert done is not None
    assert not done.by_model
    assert done.digest.startswith("Earlier: 3 questions of alice")
    assert (await known(store)).digest == done.digest


async def test_a_missing_prompt_costs_the_words_and_not_the_memory(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await converse(store, *TALK)
    empty = Templates(tmp_path_factory.mktemp("prompts"))
    done = await compactor(store, scribe(), empty).compact(KEY)
    assert done is not None
    assert not done.by_model


async def test_what_is_short_stays_as_it_is(store: Store) -> None:
    maker = compactor(store, scribe())
    assert await maker.compact(KEY) is None
    await converse(store, TALK[0])
    assert await maker.compact(KEY) is None
    assert await maker.make_room(KEY) is None
    await converse(store, TALK[1])
    assert await maker.compact(KEY, keep=1) is None
    assert await maker.compact(KEY, keep=3) is None
    assert await maker.compact(KEY, keep=5) is None
    assert await maker.compact(KEY) is not None
    assert await maker.compact(KEY) is None


async def test_a_long_conversation_is_read_in_portions(store: Store) -> None:
    words = "the mixer and the fuse " * 40
    await converse(store, *((f"{n}: {words}", words) for n in range(12)))
    model = scribe(context_tokens=3_000)
    done = await compactor(store, model).compact(KEY)
    assert done is not None
    assert done.by_model
    assert len(model.shown) > 2
    assert all(of_conversation(shown) <= 3_000 for shown in model.shown)
    # Each portion starts from the memory of those before it.
    assert "alice wants fuses (1)" in model.shown[1].messages[0].text
    for number in range(12):
        assert sum(f"alice: {number}: " in s.messages[0].text for s in model.shown) == 1


async def test_a_conversation_begun_anew_meanwhile_is_left_alone(store: Store) -> None:
    await converse(store, *TALK)
    model = scribe()
    model.go_on.clear()
    work = asyncio.create_task(compactor(store, model).compact(KEY))
    async with asyncio.timeout(20):
        await model.asked.wait()
        async with store.writing() as unit:
            assert await sessions.begin_anew(unit, "rook", KEY)
        model.go_on.set()
        assert await work is None
    assert await known(store) == History("", ())


async def test_no_secret_gets_into_a_memory(store: Store) -> None:
    await converse(store, (f"my key is {SECRET}", "noted"), (f"again {SECRET}", "noted"))
    model = Scribe(lambda _: Completion(text=f"the key is {SECRET}"))
    done = await compactor(store, model).compact(KEY)
    assert done is not None
    assert done.digest == "the key is [hidden]"
    assert SECRET not in model.shown[0].messages[0].text
    await converse(store, *TALK)
    own = await compactor(store, None).compact(KEY)
    assert own is not None
    assert SECRET not in own.digest


def _turn(asked: str) -> Turn:
    return Turn(
        session_id=1,
        asker="alice",
        asked=asked,
        answer="",
        model="m",
        started_at=NOON,
        finished_at=NOON,
        trace_id="t",
    )


@given(st.lists(st.text(max_size=200), max_size=20), st.integers(1, 300))
def test_portions_hold_everything_in_order(texts: list[str], tokens: int) -> None:
    parts = portions([_turn(text) for text in texts], tokens)
    assert [turn.asked for part in parts for turn in part] == texts
    for part in parts:
        assert len(part) == 1 or sum(estimate(turn.asked) for turn in part) <= tokens
