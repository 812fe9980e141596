"""The tour knows a good answer from a bad one, and makes questions from any log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.replay.parse import Event, EventKind, parse
from bots.tour.questions import Question, Record, derive, faults

EVENTS = parse(
    [
        "[10:00] <ann> why does the boiler valve leak?",
        "[10:01] <bob> ann: the boiler valve   is old",
        "[10:02] <captain> I am a person of that name",
        "[10:03] <ann> bob: thank you",
    ]
).events
RECORD = Record.of(EVENTS)
ABOUT = Question(
    to="captain", ask="who mentioned valve?", words=("valve",), quotes=True, about="valve"
)


def test_an_answer_that_quotes_the_log_is_right() -> None:
    whole = "10:00 <ann> why does the boiler valve leak?"
    answer = f"“valve”: 2 lines\n{whole}\n10:01 <bob> …the boiler valve is…"
    assert faults(ABOUT, answer, RECORD) == []


def test_an_answer_with_a_line_that_nobody_said_is_wrong() -> None:
    [fault] = faults(ABOUT, "10:00 <ann> the valve sings", RECORD)
    assert "no line of the log: 10:00 <ann> the valve sings" in fault


def test_a_line_of_one_person_is_not_a_line_of_another() -> None:
    assert faults(ABOUT, "10:00 <bob> why does the boiler valve leak?", RECORD)


def test_an_answer_without_lines_or_words_is_wrong() -> None:
    found = faults(ABOUT, "I have heard nothing.", RECORD)
    assert len(found) == 2


def test_a_line_about_something_else_or_by_somebody_else_is_wrong() -> None:
    by_bob = Question(to="captain", ask="what did bob say?", words=(), quotes=True, by="bob")
    assert faults(ABOUT, "valve\n10:03 <ann> bob: thank you", RECORD)
    assert faults(by_bob, "10:03 <ann> bob: thank you", RECORD)


def test_a_conversation_in_a_summary_is_read_up_to_its_reply() -> None:
    quoting = Question(to="secretary", ask="what happened?", words=(), quotes=True)
    row = "• 10:00 <ann> why does the boiler valve leak? → <bob> ann: the boiler [2 lines, solved]"
    assert faults(quoting, row, RECORD) == []


def test_questions_come_from_the_log_and_name_no_agent() -> None:
    asked = [question.ask for question in derive(EVENTS, ["captain"], "#x")]
    assert asked == [
        "who talks most in #x?",
        "who mentioned boiler valve?",
        "what happened in #x?",
        "what did ann say?",
        "when was ann last seen?",
    ]


def test_a_log_without_anybody_to_ask_for_gives_no_questions() -> None:
    assert derive(EVENTS, ["ann", "bob", "captain"], "#x") == ()
    assert derive((), ["captain"], "#x") == ()


NICKS = st.text(st.characters(min_codepoint=33, max_codepoint=500), min_size=1, max_size=12)


@given(st.lists(st.tuples(NICKS, st.text(max_size=60)), max_size=30))
def test_every_log_can_be_asked_about_without_an_error(said: list[tuple[str, str]]) -> None:
    events = [
        Event(number=n, kind=EventKind.SAID, nick=nick, text=text, minute=0)
        for n, (nick, text) in enumerate(said)
    ]
    record = Record.of(events)
    for question in derive(events, ["captain"], "#x"):
        assert isinstance(faults(question, "", record), list)
    for nick, text in said:
        assert record.holds(nick, text)
