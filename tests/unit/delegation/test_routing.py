"""Who should do this: what one can do comes first, and the same facts give the same order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from brain.delegation.routing import Candidate, rank

SECRETARY = Candidate(name="secretary", capabilities=("summarise", "search"), channels=("#ubuntu",))
AUDITOR = Candidate(name="auditor", capabilities=("audit", "verify"))
BUYER = Candidate(name="buyer", capabilities=("buy",), role="buyer")
CREW = (SECRETARY, AUDITOR, BUYER)


def best(instruction: str, *crew: Candidate) -> str:
    return rank(instruction, crew or CREW)[0].agent


def test_who_can_do_it_gets_it() -> None:
    assert best("summarise yesterday in #ubuntu") == "secretary"
    assert best("give me a summary of what was said") == "secretary"
    assert best("please verify the audit chain") == "auditor"
    assert best("buying a pen") == "buyer"


def test_the_reasons_are_said() -> None:
    first, *_ = rank("summarise yesterday in #ubuntu", CREW)
    assert "can summarise" in str(first)
    assert "sits in #ubuntu" in str(first)
    assert "newcomer" in str(first)


def test_who_is_down_comes_last_whatever_he_can() -> None:
    crew = (replace(SECRETARY, down="is failed"), AUDITOR, BUYER)
    ranked = rank("summarise this", crew)
    assert ranked[-1].agent == "secretary"
    assert ranked[-1].down == "is failed"


def test_of_two_who_can_the_reliable_the_idle_and_the_cheap_one() -> None:
    twin = replace(SECRETARY, name="twin")
    assert best(
        "summarise", replace(SECRETARY, done=1, failed=9), replace(twin, done=9, failed=1)
    ) == ("twin")
    assert best("summarise", replace(SECRETARY, waiting=5), twin) == "twin"
    dear = replace(SECRETARY, mean_cost_nusd=50_000_000, done=5)
    assert best("summarise", dear, replace(twin, done=5)) == "twin"
    broke = replace(SECRETARY, budget_left=0.0)
    assert best("summarise", broke, twin) == "twin"


def test_a_newcomer_gets_its_chance_beside_a_mediocre_one() -> None:
    twin = replace(SECRETARY, name="twin")
    assert best("summarise", replace(SECRETARY, done=12, failed=8), twin) == "twin"


def test_what_was_learned_decides_between_equals() -> None:
    taught = replace(AUDITOR, name="taught", learned={"mixer": 3})
    assert best("look after the mixer", AUDITOR, taught) == "taught"


candidates = st.builds(
    Candidate,
    name=st.sampled_from("abcdef"),
    capabilities=st.lists(
        st.sampled_from(["summarise", "audit", "buy", "sell:logs"]), max_size=3
    ).map(tuple),
    down=st.sampled_from(["", "is failed"]),
    waiting=st.integers(0, 20),
    done=st.integers(0, 50),
    failed=st.integers(0, 50),
    mean_cost_nusd=st.integers(0, 10**9),
    budget_left=st.none() | st.floats(0, 1),
)


@given(st.lists(candidates, unique_by=lambda c: c.name, min_size=1), st.text(max_size=40))
def test_the_order_of_the_candidates_means_nothing(crew: list[Candidate], words: str) -> None:
    ranked = rank(words, crew)
    shuffled = sorted(crew, key=lambda c: c.done)
    assert rank(words, shuffled) == ranked
    assert {r.agent for r in ranked} == {c.name for c in crew}
    downs = [bool(r.down) for r in ranked]
    assert downs == sorted(downs)
