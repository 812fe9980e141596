from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.irc.line import Line
from bots.irc.sasl import CHUNK, Credentials, Exchange, Outcome, chunks


def says(command: str, *params: str) -> Line:
    return Line(command=command, params=params)


def payload_of(lines: list[str]) -> bytes:
    return base64.b64decode("".join(line.split()[1] for line in lines if line.split()[1] != "+"))


@given(st.binary(max_size=1300))
def test_chunks_are_full_but_the_last_and_say_where_they_end(payload: bytes) -> None:
    parts = chunks(payload)
    assert all(len(part) == CHUNK for part in parts[:-1])
    assert parts[-1] == "+" or len(parts[-1]) < CHUNK
    assert base64.b64decode("".join(part for part in parts if part != "+")) == payload


def test_an_exact_multiple_ends_with_a_plus() -> None:
    assert chunks(b"x" * 300)[1:] == ["+"]
    assert chunks(b"") == ["+"]


def test_plain_sends_account_and_password_with_an_empty_authzid() -> None:
    exchange = Exchange(Credentials(account="alpha", password="sésame"), ["PLAIN"])
    assert exchange.start() == ["AUTHENTICATE PLAIN"]
    answer = exchange.receive(says("AUTHENTICATE", "+"))
    assert payload_of(answer) == "\0alpha\0sésame".encode()
    exchange.receive(says("903", "alpha", "done"))
    assert exchange.outcome is Outcome.SUCCEEDED


def test_external_sends_nothing() -> None:
    exchange = Exchange(Credentials(account="alpha", has_certificate=True), ["EXTERNAL"])
    exchange.start()
    assert exchange.receive(says("AUTHENTICATE", "+")) == ["AUTHENTICATE +"]


@pytest.mark.parametrize("numeric", ["902", "904", "905", "906"])
def test_a_refusal_tries_the_next_mechanism_and_then_gives_up(numeric: str) -> None:
    credentials = Credentials(account="alpha", password="x", has_certificate=True)
    exchange = Exchange(credentials, ["EXTERNAL", "PLAIN"])
    exchange.start()
    assert exchange.receive(says(numeric, "alpha", "no")) == ["AUTHENTICATE PLAIN"]
    assert exchange.receive(says(numeric, "alpha", "still no")) == []
    assert (exchange.outcome, exchange.reason) == (Outcome.REFUSED, "still no")


def test_a_mechanism_that_the_server_does_not_list_is_not_tried() -> None:
    credentials = Credentials(account="alpha", password="x", has_certificate=True)
    exchange = Exchange(credentials, ["EXTERNAL", "PLAIN"])
    exchange.start()
    exchange.receive(says("908", "alpha", "SCRAM-SHA-256,EXTERNAL", "are available"))
    assert exchange.receive(says("904", "alpha", "no")) == []
    assert exchange.outcome is Outcome.REFUSED


def test_being_logged_in_already_is_a_success() -> None:
    exchange = Exchange(Credentials(account="alpha", password="x"), ["PLAIN"])
    exchange.start()
    exchange.receive(says("907", "alpha", "already"))
    assert exchange.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("", ["EXTERNAL", "PLAIN"]),
        ("PLAIN,EXTERNAL", ["EXTERNAL", "PLAIN"]),
        ("plain", ["PLAIN"]),
        ("SCRAM-SHA-512", []),
    ],
)
def test_what_is_tried_is_what_both_can(offered: str, chosen: list[str]) -> None:
    credentials = Credentials(account="a", password="x", has_certificate=True)
    assert credentials.mechanisms(offered) == chosen


def test_a_password_never_shows() -> None:
    assert "geheim" not in repr(Credentials(account="a", password="geheim"))
