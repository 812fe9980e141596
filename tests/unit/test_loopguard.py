"""Bots never loop; a person's word always passes."""

from hypothesis import given
from hypothesis import strategies as st

from bots.answering.loopguard import Limits, Line, LoopGuard

LIMITS = Limits(
    max_hops=4,
    pair_answers=6,
    pair_window_s=60,
    day_answers=50,
    channel_answers=20,
    channel_window_s=60,
    similarity=0.9,
)


def line(
    text: str, at_s: float = 0.0, speaker: str = "auditor", hops: int = 1, *, bot: bool = True
) -> Line:
    return Line(channel="#lobby", speaker=speaker, from_bot=bot, hops=hops, text=text, at_s=at_s)


def test_a_chain_of_answers_ends_at_the_hop_limit() -> None:
    guard = LoopGuard(LIMITS)
    assert guard.weigh(line("hello", hops=3)).allowed
    assert not guard.weigh(line("hello", hops=4)).allowed


def test_a_pair_gets_so_many_answers_in_a_window_and_then_again_after_it() -> None:
    guard = LoopGuard(LIMITS)
    words = [
        "alpha",
        "a second thing",
        "weather",
        "numbers and sums",
        "music tonight",
        "goodbye then",
    ]
    for i, text in enumerate(words):
        assert guard.weigh(line(text, at_s=i)).allowed
        guard.answered(line(text, at_s=i))
    assert "6 times" in guard.weigh(line("one more completely other idea", at_s=10)).reason
    assert guard.weigh(line("one more completely other idea", at_s=70)).allowed


def test_a_line_that_only_counts_up_is_the_same_line() -> None:
    guard = LoopGuard(LIMITS)
    guard.answered(line("I am still waiting (1)"))
    assert "same again" in guard.weigh(line("I am still waiting (2)", at_s=1)).reason


def test_agents_may_not_fill_a_channel_with_talk_to_each_other() -> None:
    guard = LoopGuard(LIMITS)
    for i in range(20):
        guard.exchanged("#lobby", i)
    assert "too much" in guard.weigh(line("hello", at_s=21)).reason
    assert guard.weigh(line("hello", at_s=100)).allowed


@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 5)), max_size=60))
def test_a_person_always_passes(lines: list[tuple[str, float]]) -> None:
    guard = LoopGuard(LIMITS)
    for text, at_s in lines:
        spoken = line(text, at_s, speaker="alice", hops=0, bot=False)
        assert guard.weigh(spoken).allowed
        guard.answered(spoken)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.text(max_size=20)), min_size=200, max_size=200)
)
def test_whatever_two_bots_say_the_answers_in_one_window_are_bounded(
    lines: list[tuple[str, str]],
) -> None:
    guard = LoopGuard(LIMITS)
    answers = 0
    for i, (speaker, text) in enumerate(lines):
        spoken = line(text, at_s=i / 10, speaker=speaker)
        if guard.weigh(spoken).allowed:
            guard.answered(spoken)
            answers += 1
    assert answers <= LIMITS.channel_answers


def test_even_a_slow_loop_ends_for_the_day() -> None:
    guard = LoopGuard(LIMITS)
    for i in range(50):
        spoken = line(f"{'abcdefghij'[i % 10] * 9} {i}", at_s=i * 100.0)
        assert guard.weigh(spoken).allowed
        guard.answered(spoken)
    assert "for a day" in guard.weigh(line("one more", at_s=5_100)).reason
    assert guard.weigh(line("next day", at_s=90_000 + 5_100)).allowed


def test_ever_new_names_do_not_fill_the_memory() -> None:
    guard = LoopGuard(LIMITS)
    for i in range(5_000):
        guard.answered(line("hello", at_s=i * 100.0, speaker=f"bot{i}"))
    assert len(guard._texts) <= 1_001
