"""The words after a command's name, and the arguments that they mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands.catalogue import catalogue
from bots.commands.parse import parse
from bots.commands.reading import question_of, words_of
from bots.commands.registry import Command, Kind
from bots.commands.steering import order_of, scope_of

COMMANDS = catalogue("!")
WORD = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)
#: options of one word
WORDS = ("nick", "topic")
NAME = st.sampled_from(["captain", "tech-lead", "secretary"])
PHRASE = (
    st.lists(WORD, min_size=1, max_size=5)
    .map(" ".join)
    .filter(
        lambda text: not text.lower().startswith(("today", "yesterday")) and not text[0].isdigit()
    )
)
VALUES = {
    Kind.TEXT: PHRASE,
    Kind.CODE: WORD,
    Kind.SUM: st.sampled_from(["0", "11.90 EUR", "$1,200", "3 usd", "0.000001 USDC", "7"]),
    Kind.AGENT: NAME,
    Kind.SCOPE: NAME | st.just("all"),
    Kind.SUBJECT: NAME | st.just("project"),
    Kind.CHANNEL: WORD.map(lambda word: f"#{word}"),
    Kind.HOURS: st.integers(1, 999).map(float),
    Kind.DAY: st.sampled_from(["today", "yesterday", "2026-11-20"]),
}


def command(name: str) -> Command:
    found = COMMANDS.get(name)
    assert found is not None
    return found


@st.composite
def uses(draw: st.DrawFn) -> tuple[Command, dict[str, Any]]:
    """A command and arguments as its slash options carry them."""
    used = draw(st.sampled_from(list(COMMANDS)))
    arguments = {
        option.name: draw(WORD if option.name in WORDS else VALUES[option.kind])
        for option in used.options
        if option.required or draw(st.booleans())
    }
    if used.steering and "agent" not in arguments:
        arguments.pop("reason", None)
    return used, arguments


@given(uses())
def test_what_is_picked_and_what_is_spoken_mean_the_same(
    use: tuple[Command, dict[str, Any]],
) -> None:
    used, arguments = use
    spoken_order = [o.name for o in used.options]
    if used.name == "search":
        spoken_order = ["channel", "hours", "day", "words"]
    assert used.read(words_of(spoken_order, arguments)) == arguments


@given(st.sampled_from(list(COMMANDS)), st.text(max_size=80))
def test_no_words_break_a_command_and_only_its_own_options_come_out(
    used: Command, words: str
) -> None:
    read = used.read(words)
    assert read is None or set(read) <= {option.name for option in used.options}


@pytest.mark.parametrize(
    ("name", "words", "read"),
    [
        ("search", "nvidia drivers", {"words": "nvidia drivers"}),
        ("restart", "secretary it hangs", {"agent": "secretary"}),
        ("search", "#ubuntu 24h nvidia", {"channel": "#ubuntu", "hours": 24.0, "words": "nvidia"}),
        ("search", "24h #ubuntu nvidia", {"channel": "#ubuntu", "hours": 24.0, "words": "nvidia"}),
        ("search", "#ubuntu", None),
        ("search", "", None),
        ("summary", "", {}),
        ("summary", "yesterday", {"day": "yesterday"}),
        ("summary", "the whole week", None),
        ("seen", "alice", {"nick": "alice"}),
        ("seen", "alice and bob", None),
        ("seen", "", None),
        ("ask", "secretary who said it?", {"agent": "secretary", "question": "who said it?"}),
        ("ask", "@secretary: who?", {"agent": "secretary", "question": "who?"}),
        ("ask", "secretary", None),
        ("audit", "auditor", {"agent": "auditor"}),
        ("audit", "", {}),
        ("audit", "everybody please", None),
        ("agents", "please", {}),
        ("kill", "auditor it loops", {"agent": "auditor", "reason": "it loops"}),
        ("kill", "", {}),
    ],
)
def test_what_words_mean(name: str, words: str, read: dict[str, Any] | None) -> None:
    assert command(name).read(words) == read


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("!ask secretary who said it?", "who said it?"),
        ("!ask agent:secretary who said it?", "who said it?"),
        ("!ASK secretary: who said it?", "who said it?"),
        ("who said it?", "who said it?"),
        ("!search ask", "!search ask"),
        ("!ask", "!ask"),
        ("ask secretary who", "ask secretary who"),
    ],
)
def test_what_an_agent_is_asked(line: str, asks: str) -> None:
    assert question_of(line, "!") == asks


@pytest.mark.parametrize(
    ("name", "arguments", "order", "scope"),
    [
        ("kill", {}, "kill all", ("all", "")),
        ("kill", {"reason": "it loops"}, "kill all it loops", ("all", "it loops")),
        ("kill", {"agent": "auditor"}, "kill auditor", ("auditor", "")),
        ("resume", {"agent": "all", "reason": "calm"}, "resume all calm", ("all", "calm")),
    ],
)
def test_a_picked_steering_command_is_an_order_in_words(
    name: str, arguments: dict[str, Any], order: str, scope: tuple[str, str]
) -> None:
    assert order_of(name, arguments) == order
    spoken = parse(order, "")
    assert spoken is not None
    assert scope_of(spoken, frozenset({"auditor"})) == scope


def test_both_names_of_a_command_are_understood() -> None:
    for each in COMMANDS:
        spoken = parse(f"!{each.slash_name}", "!")
        assert spoken is not None
        assert COMMANDS.get(spoken.name) is each


@pytest.mark.parametrize(
    ("words", "cost", "gain"),
    [
        ("AP-3 11.90 EUR return 40 EUR", "11.90 EUR", "40 EUR"),
        ("3 $5 7", "$5", "7"),
        ("ap3 lots of money", "lots of money", None),
    ],
)
def test_a_bill_is_a_cost_and_what_it_brought(words: str, cost: str, gain: str | None) -> None:
    given = command("complete").read(words)
    assert given is not None
    assert (given["cost"], given.get("return")) == (cost, gain)


@pytest.mark.parametrize(
    ("words", "cost", "gain"),
    [
        ("AP-1 usd 3 7", "usd 3", "7"),
        ("AP-1 0 usd 3", "0 usd", "3"),
        ("AP-1 $5 return 7 EUR", "$5", "7 EUR"),
        ("AP-1 usd 3", "usd 3", None),
    ],
)
def test_letters_between_two_sums_are_the_first_ones_currency(
    words: str, cost: str, gain: str | None
) -> None:
    given = command("complete").read(words)
    assert given is not None
    assert (given["cost"], given.get("return")) == (cost, gain)
