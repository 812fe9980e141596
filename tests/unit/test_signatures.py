"""A signed command is the operator's, fresh, and not a letter different."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bots.control.signatures import LIFE, SKEW, SignatureRefused, parse, public_half, sign, verify

KEY = Ed25519PrivateKey.generate()
PUBLIC = public_half(KEY)
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def check(text: str, now: datetime = NOW, swarm: str = "parley") -> str:
    signed = parse(text)
    assert signed is not None
    verify(signed, swarm=swarm, public_key=PUBLIC, now=now)
    return signed.words


@given(
    st.text(alphabet=st.characters(categories=("L", "N", "P")), min_size=1).map(
        lambda w: f"kill {w}"
    )
)
def test_what_was_signed_verifies_and_comes_back(words: str) -> None:
    assert check(sign(words, KEY, swarm="parley", now=NOW)) == words


def test_a_changed_word_is_refused() -> None:
    text = sign("kill auditor", KEY, swarm="parley", now=NOW)
    with pytest.raises(SignatureRefused, match="not the operator's"):
        check(text.replace("auditor", "all"))


def test_another_key_is_refused() -> None:
    text = sign("kill all", Ed25519PrivateKey.generate(), swarm="parley", now=NOW)
    with pytest.raises(SignatureRefused, match="not the operator's"):
        check(text)


def test_a_signature_for_another_swarm_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="not the operator's"):
        check(sign("kill all", KEY, swarm="other", now=NOW))


def test_an_old_one_and_one_from_the_future_are_refused() -> None:
    text = sign("kill all", KEY, swarm="parley", now=NOW)
    with pytest.raises(SignatureRefused, match="too old"):
        check(text, NOW + LIFE + SKEW + timedelta(seconds=1))
    with pytest.raises(SignatureRefused, match="future"):
        check(text, NOW - SKEW - timedelta(seconds=1))


def test_the_line_fits_into_one_irc_message() -> None:
    assert (
        len("!" + sign("kill tech-lead because it repeats itself", KEY, swarm="parley", now=NOW))
        < 300
    )


@pytest.mark.parametrize(
    "text",
    [
        "kill all",
        "kill all signed:",
        "kill all signed:1.x.y",
        "signed:1.a.b",
        "kill all signed:999999999999.abcdefgh." + "a" * 86,
        "kill all signed:1.abcdefgh." + "\u00e9" * 86,
        "kill all signed:\u0661.abcdefgh." + "a" * 86,
        "x " * 10_000,
    ],
)
def test_a_line_without_a_whole_signature_has_none(text: str) -> None:
    assert parse(text) is None
