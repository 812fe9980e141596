"""Which topics a pattern names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.topics import ANY, TOPICS, PatternError, matches, pattern_of

WORD = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
TOPIC = st.tuples(st.sampled_from(sorted(TOPICS)), st.lists(WORD, max_size=3)).map(
    lambda parts: ".".join([parts[0], *parts[1]])
)


@pytest.mark.parametrize(
    ("pattern", "topic", "named"),
    [
        ("delegation", "delegation.failed", True),
        ("delegation.*", "delegation.failed", True),
        ("delegation.*", "delegation", False),
        ("delegation.failed", "delegation.done", False),
        ("*.failed", "delegation.failed", True),
        ("*.failed", "failure.failed", True),
        ("*.failed", "kill", False),
        ("*", "kill", True),
        ("kill", "kill.resumed", True),
        ("kill", "killer", False),
    ],
)
def test_what_a_pattern_names(pattern: str, topic: str, named: bool) -> None:  # noqa: FBT001
    assert matches(pattern_of(pattern), topic) is named


@given(TOPIC)
def test_a_topic_names_itself_and_what_is_below_it(topic: str) -> None:
    assert pattern_of(topic) == topic
    assert matches(topic, topic)
    assert matches(topic, f"{topic}.more")
    assert not matches(f"{topic}.more", topic)


@given(TOPIC, st.data())
def test_a_star_stands_for_any_one_word(topic: str, data: st.DataObject) -> None:
    words = topic.split(".")
    at = data.draw(st.integers(0, len(words) - 1))
    starred = pattern_of(".".join([*words[:at], ANY, *words[at + 1 :]]))
    assert matches(starred, topic)
    # One word, not none.
    assert len(words) == 1 or not matches(starred, ".".join(words[:-1]))
    changed = data.draw(WORD)
    assert matches(starred, ".".join([*words[:at], changed, *words[at + 1 :]]))


@given(st.text(max_size=60))
def test_any_text_is_a_pattern_or_is_refused_in_words(text: str) -> None:
    try:
        pattern = pattern_of(text)
    except PatternError:
        return
    assert pattern_of(pattern) == pattern
    assert pattern == pattern.lower().strip()


def test_a_mistyped_topic_is_told_the_nearest_one() -> None:
    with pytest.raises(PatternError, match="did you mean delegation"):
        pattern_of("delegaton.failed")
    with pytest.raises(PatternError, match="there are"):
        pattern_of("weather")
