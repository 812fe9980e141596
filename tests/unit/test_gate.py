"""A line reaches the agents that it names, and nobody else."""

import time

import pytest

from bots.hearing.gate import Addressed, addressees

AGENTS = {
    "secretary": "secretary",
    "auditor": "auditor",
    "tech-lead": "tech-lead",
    "cap_": "captain",
}


@pytest.mark.parametrize(
    ("line", "agents", "rest"),
    [
        ("secretary: what happened?", ("secretary",), "what happened?"),
        ("Secretary, what happened?", ("secretary",), "what happened?"),
        ("@secretary what happened in #lobby?", ("secretary",), "what happened in #lobby?"),
        ("@secretary: hello", ("secretary",), "hello"),
        ("secretary, auditor: hello", ("secretary", "auditor"), "hello"),
        ("secretary and tech-lead: hello", ("secretary", "tech-lead"), "hello"),
        ("cap_: hello", ("captain",), "hello"),
        ("could @auditor have a look?", ("auditor",), "could @auditor have a look?"),
        ("bob: ask @auditor about it", ("auditor",), "bob: ask @auditor about it"),
        ("secretary: ask @auditor", ("secretary", "auditor"), "ask @auditor"),
    ],
)
def test_a_line_is_for_those_it_names(line: str, agents: tuple[str, ...], rest: str) -> None:
    assert addressees(line, AGENTS) == Addressed(agents, rest)


@pytest.mark.parametrize(
    "line",
    [
        "the secretary said so",
        "secretary",
        "bob: hello",
        "mail me at joe@secretary.example",
        "http://auditor: is no address of ours, is it",
        "14:02 is late",
        ": empty",
        "",
    ],
)
def test_talk_about_an_agent_is_not_for_it(line: str) -> None:
    assert addressees(line, AGENTS).agents == ()


def test_what_an_agent_quotes_wakes_nobody() -> None:
    agents = {"secretary": "secretary", "auditor": "auditor"}
    quote = "alice: at 12:01 <bob> @auditor have a look"
    assert addressees(quote, agents).agents == ("auditor",)
    assert addressees(quote, agents, by_agent=True).agents == ()
    assert addressees("auditor: your turn", agents, by_agent=True).agents == ("auditor",)


@pytest.mark.parametrize(
    ("line", "agents", "rest"),
    [
        ("secretary, what is that: a bug?", ("secretary",), "what is that: a bug?"),
        ("bob, secretary: have a look", ("secretary",), "have a look"),
        ("secretary & auditor, hello", ("secretary", "auditor"), "hello"),
        ("secretary , hello", ("secretary",), "hello"),
    ],
)
def test_a_list_of_names_ends_where_talk_begins(
    line: str, agents: tuple[str, ...], rest: str
) -> None:
    assert addressees(line, AGENTS) == Addressed(agents, rest)


@pytest.mark.parametrize(
    "line", ["-and" * 5_000, " " * 20_000, "a," * 10_000, "@" * 20_000, "x and " * 5_000 + ":"]
)
def test_a_nasty_line_costs_no_time(line: str) -> None:
    began_s = time.process_time()
    addressees(line, AGENTS)
    assert time.process_time() - began_s < 0.1
