from __future__ import annotations

from bots.irc.config import IrcConfig
from bots.irc.line import Line
from bots.irc.registration import Registration
from bots.irc.sasl import Credentials

LOGIN = Credentials(account="alpha", password="x")


def says(command: str, *params: str) -> Line:
    return Line(command=command, params=params)


def test_the_opening_is_complete_so_that_no_old_server_makes_us_wait() -> None:
    registration = Registration(nick="alpha", name="skill-extractor", server_password="pw")
    assert registration.start() == [
        "PASS :pw",
        "CAP LS 302",
        "NICK alpha",
        "USER skill-extr 0 * :skill-extractor",
    ]


def test_sasl_comes_before_the_end_of_the_negotiation() -> None:
    registration = Registration(nick="alpha", name="alpha", credentials=LOGIN)
    registration.start()
    assert registration.receive(says("CAP", "*", "LS", "sasl=PLAIN")) == ["CAP REQ :sasl"]
    assert registration.receive(says("CAP", "*", "ACK", "sasl")) == ["AUTHENTICATE PLAIN"]
    registration.receive(says("AUTHENTICATE", "+"))
    registration.receive(says("900", "*", "a!b@c", "alpha", "logged in"))
    assert registration.receive(says("903", "*", "done")) == ["CAP END"]
    assert registration.account == "alpha"
    assert registration.refusal == ""


def test_without_credentials_sasl_is_not_asked_for() -> None:
    registration = Registration(nick="alpha", name="alpha")
    assert registration.receive(says("CAP", "*", "LS", "sasl=PLAIN")) == ["CAP END"]


def test_a_mechanism_that_we_cannot_do_leaves_it_to_nickserv() -> None:
    registration = Registration(nick="alpha", name="alpha", credentials=LOGIN)
    registration.receive(says("CAP", "*", "LS", "sasl=EXTERNAL"))
    assert registration.receive(says("CAP", "*", "ACK", "sasl")) == ["CAP END"]
    assert registration.sasl_outcome is None


def test_a_refused_login_is_a_refusal_in_a_sentence() -> None:
    registration = Registration(nick="alpha", name="alpha", credentials=LOGIN)
    registration.receive(says("CAP", "*", "LS", "sasl"))
    registration.receive(says("CAP", "*", "ACK", "sasl"))
    registration.receive(says("904", "*", "SASL authentication failed"))
    assert "SASL authentication failed" in registration.refusal


def test_a_login_refused_after_the_welcome_is_not_fatal() -> None:
    registration = Registration(nick="alpha", name="alpha", credentials=LOGIN)
    registration.receive(says("001", "alpha", "hi"))
    registration.receive(says("CAP", "alpha", "NEW", "sasl=PLAIN"))
    registration.receive(says("CAP", "alpha", "ACK", "sasl"))
    assert registration.receive(says("904", "alpha", "no")) == []
    assert registration.refusal == ""


def test_taken_nicks_lead_to_others_and_at_last_to_giving_up() -> None:
    registration = Registration(nick="alpha", name="alpha")
    answer = registration.receive(says("433", "*", "alpha", "Nickname is already in use"))
    assert answer == ["NICK alpha_"]
    assert registration.receive(says("437", "*", "alpha_", "busy")) == ["NICK alpha__"]
    for _ in range(50):
        registration.receive(says("433", "*", "x", "taken"))
    assert "alternative" in registration.refusal


def test_a_nick_that_is_too_long_is_cut_to_what_every_server_takes() -> None:
    registration = Registration(nick="skill-extractor", name="x")
    assert registration.receive(says("432", "*", "x", "Erroneous")) == ["NICK skill-ext"]
    assert registration.receive(says("433", "*", "x", "taken")) == ["NICK skill-ex_"]
    registration.receive(says("432", "*", "x", "Erroneous"))
    assert "does not accept" in registration.refusal


def test_the_welcome_tells_our_nick() -> None:
    registration = Registration(nick="alpha", name="alpha")
    registration.receive(says("001", "alph", "hi"))
    assert registration.nick == "alph"
    assert registration.receive(says("433", "alph", "alpha", "taken")) == []


def test_no_secret_is_in_the_representation_of_a_configuration() -> None:
    config = IrcConfig(
        agent="a", host="h", port=1, nick="a", server_password="geheim1", account_password="geheim2"
    )
    assert "geheim" not in repr(config)
