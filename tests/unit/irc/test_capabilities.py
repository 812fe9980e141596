from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.irc.capabilities import Negotiation


def cap(*params: str) -> tuple[str, ...]:
    return ("*", *params)


def test_only_what_is_offered_is_asked_for() -> None:
    negotiation = Negotiation({"sasl", "batch", "echo-message"})
    assert negotiation.start() == ["CAP LS 302"]
    assert negotiation.receive(cap("LS", "sasl=PLAIN,EXTERNAL batch other")) == [
        "CAP REQ :batch sasl"
    ]
    assert not negotiation.settled
    assert negotiation.receive(cap("ACK", "batch sasl")) == []
    assert negotiation.settled
    assert negotiation.enabled == {"batch", "sasl"}
    assert negotiation.offered["sasl"] == "PLAIN,EXTERNAL"


def test_a_list_over_several_lines_is_read_to_its_end() -> None:
    negotiation = Negotiation({"a", "b"})
    assert negotiation.receive(cap("LS", "*", "a")) == []
    assert not negotiation.settled
    assert negotiation.receive(cap("LS", "b")) == ["CAP REQ :a b"]


def test_an_empty_list_settles_at_once() -> None:
    negotiation = Negotiation({"a"})
    assert negotiation.receive(cap("LS", "")) == []
    assert negotiation.settled


def test_after_a_refusal_each_name_is_asked_for_alone() -> None:
    negotiation = Negotiation({"a", "b"})
    negotiation.receive(cap("LS", "a b"))
    assert negotiation.receive(cap("NAK", "a b")) == ["CAP REQ :a", "CAP REQ :b"]
    assert negotiation.receive(cap("NAK", "a")) == []
    assert not negotiation.settled
    negotiation.receive(cap("ACK", "b"))
    assert negotiation.settled
    assert negotiation.enabled == {"b"}


def test_new_and_del_change_what_is_in_use() -> None:
    negotiation = Negotiation({"sasl"})
    negotiation.receive(cap("LS", ""))
    assert negotiation.receive(cap("NEW", "sasl=PLAIN other")) == ["CAP REQ :sasl"]
    negotiation.receive(cap("ACK", "sasl"))
    assert negotiation.receive(cap("DEL", "sasl")) == []
    assert negotiation.enabled == set()
    assert "sasl" not in negotiation.offered


def test_an_acknowledged_minus_switches_off() -> None:
    negotiation = Negotiation({"a"})
    negotiation.receive(cap("LS", "a"))
    negotiation.receive(cap("ACK", "a"))
    negotiation.receive(cap("ACK", "-a"))
    assert negotiation.enabled == set()


def test_many_names_are_asked_for_in_lines_that_fit() -> None:
    names = {f"vendor.example/{n:03}" for n in range(80)}
    negotiation = Negotiation(names)
    requests = negotiation.receive(cap("LS", " ".join(names)))
    assert len(requests) > 1
    assert all(len(line) <= 450 for line in requests)
    for line in requests:
        assert not negotiation.settled
        negotiation.receive(cap("ACK", line.partition(" :")[2]))
    assert negotiation.settled
    assert negotiation.enabled == names


@given(st.lists(st.lists(st.text("ab =*-", max_size=6), max_size=4)))
def test_nonsense_is_taken_calmly(lines: list[list[str]]) -> None:
    negotiation = Negotiation({"a", "b"})
    for params in lines:
        for verb in ("LS", "ACK", "NAK", "NEW", "DEL", "BOGUS"):
            for answer in negotiation.receive(cap(verb, *params)):
                assert answer.startswith("CAP REQ :")
