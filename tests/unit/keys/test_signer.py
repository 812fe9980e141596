"""A signature holds for one message and one key, in one spelling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bots.keys.signer import Signer, genuine, new_id, new_pair, new_secret
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import Key
from tests.hmac_sender import HmacSender

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def pair(alg: KeyAlgorithm) -> tuple[Signer | HmacSender, Key, SecretStr | None]:
    """A signer, the row to verify with, and the secret that HMAC needs besides."""
    public, secret = new_pair() if alg is KeyAlgorithm.ED25519 else ("", new_secret())
    row = Key(
        key_id="k1",
        owner="captain",
        kind=KeyKind.AGENT,
        alg=alg,
        public=public,
        sealed="",
        master="",
        created_at=NOON,
        expires_at=NOON + timedelta(days=90),
        retiring_at=None,
        revoked_at=None,
        revoked_by="",
    )
    if alg is KeyAlgorithm.ED25519:
        return Signer("k1", secret), row, None
    return HmacSender("k1", secret), row, secret


PAIRS = [pair(KeyAlgorithm.ED25519), pair(KeyAlgorithm.HMAC_SHA256)]
both = pytest.mark.parametrize(("signer", "row", "secret"), PAIRS, ids=["ed25519", "hmac"])


@both
@given(message=st.binary(max_size=200), other=st.binary(max_size=200))
def test_what_was_signed_verifies_and_nothing_else(
    signer: Signer | HmacSender, row: Key, secret: SecretStr | None, message: bytes, other: bytes
) -> None:
    signature = signer.sign(message)
    assert genuine(row, message, signature, secret)
    assert genuine(row, other, signature, secret) is (message == other)
    assert "=" not in signature


@both
@given(signature=st.one_of(st.text(max_size=120), st.from_regex(r"[\w-]{86}=*", fullmatch=True)))
def test_nonsense_is_no_signature(
    signer: Signer | HmacSender, row: Key, secret: SecretStr | None, signature: str
) -> None:
    assert not genuine(row, b"m", signature, secret)


@both
def test_one_signature_has_one_spelling(
    signer: Signer | HmacSender, row: Key, secret: SecretStr | None
) -> None:
    """What was accepted does not come back as another text that means the same bytes."""
    good = signer.sign(b"m")
    for spelled in (good + "=", good + "==", f" {good}", good + "\n", good[:-1] + _next(good[-1])):
        assert not genuine(row, b"m", spelled, secret)


def _next(last: str) -> str:
    """Another last character: the bits that no byte needs differ."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(last) ^ 1]


@both
def test_another_key_verifies_nothing(
    signer: Signer | HmacSender, row: Key, secret: SecretStr | None
) -> None:
    other, _, _ = pair(row.alg)
    assert not genuine(row, b"m", other.sign(b"m"), secret)


@pytest.mark.parametrize("public", ["", "x", "ä", "AAAA", "A" * 43 + "="])
def test_a_row_without_a_real_public_key_verifies_nothing(public: str) -> None:
    signer, row, _ = PAIRS[0]
    assert not genuine(replace(row, public=public), b"m", signer.sign(b"m"))


def test_hmac_without_the_secret_is_not_genuine() -> None:
    signer, row, _ = PAIRS[1]
    assert not genuine(row, b"m", signer.sign(b"m"), None)


def test_no_secret_is_shown() -> None:
    for signer in (Signer("k1", new_pair()[1]), HmacSender("k1", new_secret())):
        assert signer.secret.get_secret_value() not in f"{signer!r} {signer}"


def test_ids_say_whose_and_differ() -> None:
    ids = {new_id("tech-lead") for _ in range(200)}
    assert len(ids) == 200
    assert all(one.startswith("tech-lead-") for one in ids)
