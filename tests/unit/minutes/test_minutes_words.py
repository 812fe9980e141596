"""Minutes are status text: whatever they quote or a model wrote, nobody is addressed."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bots.hearing.gate import addressees
from bots.minutes import composing
from bots.minutes.composing import Facts
from bots.minutes.schedule import Called, Kind
from storage.delegation_tables import DelegationState
from storage.happenings import Day
from storage.project_log import Standing
from storage.project_tables import EntryKind, ProjectEntry, ProjectStatus
from storage.tables import Agent, AgentState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAMES = ("captain", "tech-lead", "buyer")
AGENTS = {name: name for name in NAMES}
STANDUP, NOTES = (Called(kind, NOON, NOON) for kind in Kind)
names = st.sampled_from(NAMES)
words = st.text(max_size=500) | st.from_regex(
    r"(.{0,400}@?(captain|buyer|tech-lead)[:,] ?){1,3}[^\n]{0,400}", fullmatch=True
)
entries = st.builds(
    ProjectEntry,
    at=st.just(NOON),
    agent=names,
    by=words,
    kind=st.sampled_from(EntryKind),
    state=st.sampled_from(["done", "failed", "active"]),
    title=words,
    text=words,
    trace_id=st.just("abcd"),
)
standings = st.builds(
    Standing,
    status=st.sampled_from(ProjectStatus),
    sentence=words,
    since=st.just(NOON),
    by=words,
    at=st.just(NOON),
)
agents = st.builds(
    Agent,
    name=names,
    role=names,
    state=st.sampled_from(AgentState),
    reason=words,
    updated_at=st.just(NOON),
)
facts = st.builds(
    Facts,
    days=st.dictionaries(names, st.builds(Day, *[st.integers(0, 9)] * 4)),
    results=st.dictionaries(
        names, st.dictionaries(st.sampled_from(DelegationState), st.integers(0, 999))
    ),
    roster=st.lists(agents, unique_by=lambda a: a.name),
    standing=st.none() | standings,
    entries=st.lists(st.tuples(entries, st.booleans()), max_size=20),
    waiting=st.just(()),
)


def quiet(text: str) -> None:
    """No line of it is for anybody, and each of them fits."""
    head, *lines = text.split("\n")
    assert head.startswith(("Stand-up of 2026-11-20", "Notes of 2026-11-20"))
    assert len(lines) <= 11
    for line in (head, *lines):
        assert addressees(line, AGENTS, by_agent=True).agents == ()
        assert len(line.encode()) <= 300
        assert "\r" not in line


@given(facts, st.sampled_from([STANDUP, NOTES]))
def test_the_plain_list_calls_nobody(known: Facts, called: Called) -> None:
    quiet(composing.plain(called, known))


@given(words, st.sampled_from([STANDUP, NOTES]))
def test_what_a_model_wrote_calls_nobody(text: str, called: Called) -> None:
    told = composing.in_words(called, text)
    if told:
        quiet(told)


@given(st.lists(words, max_size=5))
def test_what_not_everybody_may_read_is_counted_and_not_quoted(secrets: list[str]) -> None:
    closed = [
        (
            ProjectEntry(
                at=NOON,
                agent="buyer",
                by="alice",
                kind=kind,
                state="done",
                title=f"Kassiopeia {secret}",
                text=f"Kassiopeia {secret}",
                trace_id="abcd",
            ),
            False,
        )
        for secret in secrets
        for kind in (EntryKind.RESULT, EntryKind.DECISION, EntryKind.NOTE)
    ]
    buyer = Agent(name="buyer", role="buyer", state=AgentState.READY, updated_at=NOON)
    ended = {"buyer": {"done": len(secrets)}}
    known = Facts(days={}, results=ended, roster=[buyer], standing=None, entries=closed, waiting=())
    for called in (STANDUP, NOTES):
        assert "Kassiopeia" not in composing.plain(called, known)
    if secrets:
        assert f"buyer: {len(secrets)} handed over and done" in composing.plain(STANDUP, known)


def test_words_that_would_go_on_with_a_list_of_names_do_not() -> None:
    for words in (", captain: hi", "and captain: hi", "& buyer: hi", ": buyer, captain: hi"):
        quiet(composing.in_words(NOTES, words))


def test_a_models_own_bullets_and_headings_are_not_doubled() -> None:
    assert composing.in_words(NOTES, "# Notes\n\n- captain: we wait\n* • or more\n") == (
        "Notes of 2026-11-20, since 2026-11-20 12:00 UTC\n• Notes\n• captain: we wait\n• or more"
    )
    assert composing.in_words(NOTES, " \n-\n") == ""
