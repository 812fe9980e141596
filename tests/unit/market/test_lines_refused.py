"""What is meant as a market line and cannot be one is answered with a reason; talk never is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.replay.parse import parse as read_log
from market import kinds, nick, product, reference, wait
from market.lines import LONGEST, parse
from market.misread import Misread, Refused

REAL = Path(__file__).parents[4] / "shared" / "data" / "ubuntu-irc"
ID = "7k2m9qxa"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NEED: x | budget -5", "above zero"),
        ("NEED: x | budget $-5", "above zero"),
        ("HAVE: x | -$5", "above zero"),
        ("HAVE: x | \N{MINUS SIGN}5", "above zero"),
        ("HAVE: x | 0", "above zero"),
        ("HAVE: x | 0.000000", "above zero"),
        ("NEED: x | budget 1000000000.01", "at most 1000000000"),
        ("NEED: x | budget " + "9" * 300, "in digits"),
        ("HAVE: x | NaN", "in digits"),
        ("HAVE: x | inf", "in digits"),
        ("HAVE: x | 1e9", "in digits"),
        ("HAVE: x | two credits", "in digits"),
        ("need: x | budget five", "in digits"),
        ("HAVE: x | \N{EURO SIGN}5", "in digits"),
        ("HAVE: x | 5 apples", "in digits"),
        ("HAVE: x | 0.0000001", "six decimals"),
        ("HAVE: x | 1\u0662", "one script"),
        ("NEED: x | budget", "say the price"),
        ("NEED: x | by 60s", "say the price"),
        (f"OFFER N-{ID}", "say the price"),
        ("NEED: x | 5 | by 60", "unit"),
        ("NEED: x | 5 | by 0s", "at least 1 s"),
        ("NEED: x | 5 | by 8d", "at most 7 days"),
        ("NEED: x | 5 | by noon", "unit"),
        ("NEED: x | 5 | budget 6 | price 7", "said twice"),
        ("NEED: x | budget 5 | a | b", "more fields"),
        ("DEAL: a <-> b | x | 5 | extra", "more fields"),
        ("NEED: | budget 5", "which product"),
        ("NEED: --- | budget 5", "which product"),
        ("DEAL: a <-> b | | 5", "which product"),
        (f"NEED: {'a' * 400} | 5", "200 characters"),
        ("NEED: a\x07b | 5", "hidden"),
        ("NEED: a\nb | 5", "hidden"),
        ("NEED: a\u202eb | 5", "hidden"),
        ("NEED: a\u2066b | 5", "hidden"),
        ("NEED: a\u200bb | 5", "hidden"),
        ("NEED: \u3164 | 5", "hidden"),
        ("HAVE: x | 5 | note\u202e", "hidden"),
        ("HAVE: x | 2\n000", "one line"),
        (f"HAVE: x | 5 | {'n' * 121}", "120 characters"),
        ("TAKE O-7k2m", "8 small letters"),
        ("TAKE O-7k2m9qx1", "8 small letters"),
        (f"TAKE O-{ID}a", "8 small letters"),
        (f"TAKE N-{ID}", "an offer"),
        (f"PASS O-{ID}", "a need"),
        (f"DONE O-{ID}", "a deal"),
        (f"TAKE O-{ID} please", "after the id"),
        ("OFFER: 4.00 | eta 10s", "say the id"),
        ("OFFER banana: 4.00", "say the id"),
        (f"NEED: x | 5 | id H-{ID}", "a need"),
        ("DEAL: a | x | 5", "buyer <-> seller"),
        ("DEAL: a <-> b <-> c | x | 5", "buyer <-> seller"),
        ("DEAL: Ann <-> ann | x | 5", "themselves"),
        ("DEAL: \u0430lice <-> bob | x | 1", "one script"),
        ("DEAL: alice <-> b\u03bfb | x | 1", "one script"),
        ("DEAL: \uff41lice <-> bob | x | 1", "plain letters"),
        ("DEAL: a b <-> bob | x | 1", "one word"),
        ("DEAL: a\u200db <-> bob | x | 1", "one word"),
        ("DEAL: ___ <-> bob | x | 1", "one word"),
        ("DEAL: <-> bob | x | 1", "1 to 32"),
        (f"DEAL: {'a' * 33} <-> bob | x | 1", "1 to 32"),
    ],
)
def test_a_bad_line_is_refused_with_a_reason(text: str, why: str) -> None:
    read = parse(text)
    assert isinstance(read, Misread)
    assert why in read.why
    assert read.word == text.partition(":")[0].partition(" ")[0].upper()


@pytest.mark.parametrize("price", ["0", "-1", "five", "1e3", "9" * 20])
def test_every_reason_can_be_said_in_a_line_that_is_not_answered(price: str) -> None:
    read = parse(f"HAVE: x | {price}")
    assert isinstance(read, Misread)
    answer = kinds.NotUnderstood(why=read.why)
    assert parse(str(answer)) == answer


@pytest.mark.parametrize("why", ["", "\x07", "x" * 500, "a | b"])
def test_a_broken_answer_is_not_answered(why: str) -> None:
    assert parse(f"NOT-UNDERSTOOD: {why}") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "need help to setup my keyboard",
        "need: help with my sound",
        "NEED: HELP",
        "have you installed windows too?",
        "have: a look",
        "need: cat foo | grep bar",
        "I NEED: x | budget 5",
        "> NEED: x | budget 5",
        "alice: NEED: x | budget 5",
        "`NEED: x | budget 5`",
        "needs: x | budget 5",
        "NEEDLE: x | budget 5",
        "N\u0415ED: x | budget 5",
        "offer: 20% off",
        "offer stands",
        "take care",
        "take 2",
        "TAKE CARE",
        "take a-levels",
        "pass the salt",
        "PA\u017f\u017f N-7k2m9qxa",
        "deal",
        "Deal: I help you, you help me",
        "done",
        "done!",
        "done 5 minutes ago",
        "paid 20 for it",
        "cancel that",
        "failed: exit 1 | see log 5",
        f"HAVE: x | 5 |{' ' * LONGEST}",
    ],
)
def test_talk_is_talk(text: str) -> None:
    assert parse(text) is None


WORDS = ["need", "have", "want", "offer", "take", "pass", "deal", "done", "paid", "cancel", "fail"]


@given(st.sampled_from(WORDS), st.text(st.characters(codec="ascii", exclude_characters="|-:*")))
def test_a_word_of_the_market_at_the_beginning_of_a_sentence_is_talk(word: str, rest: str) -> None:
    assert parse(f"{word} {rest}") is None


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared IRC logs are not beside this project")
def test_nobody_in_a_real_channel_is_taken_for_a_trader() -> None:
    raw = [
        line
        for day in sorted(REAL.glob("2*.txt"))
        for line in day.read_text(encoding="utf-8").splitlines()
    ]
    said = [event.text for event in read_log(raw).events]
    assert len(raw) >= 9000
    assert len(said) >= 9000
    # Not even a reason is given: nobody there meant the market.
    assert [text for text in (*raw, *said) if parse(text) is not None] == []


@pytest.mark.parametrize(
    "build",
    [
        lambda: kinds.Need(product="", budget_microcredits=1),
        lambda: kinds.Need(product="a | b", budget_microcredits=1),
        lambda: kinds.Need(product="x", budget_microcredits=0),
        lambda: kinds.Need(product="x", budget_microcredits=1, note="by 60s"),
        lambda: kinds.Need(product="x", budget_microcredits=1, by_s=0),
        lambda: kinds.Have(product="x", price_microcredits=1, note="id: mine"),
        lambda: kinds.Offer(need=f"O-{ID}", price_microcredits=1),
        lambda: kinds.Offer(need=f"N-{ID}", price_microcredits=1, eta_s=-1),
        lambda: kinds.Deal(buyer="a", seller="A", product="x", price_microcredits=1),
        lambda: kinds.Take(about="7"),
        lambda: kinds.NotUnderstood(why=" "),
        lambda: product.normal("\ud800x"),
        lambda: nick.normal("a\nb"),
        lambda: reference.parse("", (reference.Noun.NEED,)),
        lambda: wait.parse("60"),
    ],
)
def test_no_value_exists_that_could_not_be_said(build: object) -> None:
    with pytest.raises(Refused):
        build()  # type: ignore[operator]
