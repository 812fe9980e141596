"""What is sealed opens with its own master key, in its own row, unchanged; else not at all."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bots.keys.sealing import Master, SealBroken

MASTER = Master.new()
PLACE = {"key_id": "k1", "owner": "captain"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_it_opens_again(secret: str) -> None:
    sealed = MASTER.seal(SecretStr(secret), **PLACE)
    assert MASTER.unseal(sealed, **PLACE).get_secret_value() == secret


def test_twice_the_same_secret_is_not_twice_the_same_text() -> None:
    assert MASTER.seal(SecretStr("x"), **PLACE) != MASTER.seal(SecretStr("x"), **PLACE)


@pytest.mark.parametrize(
    "place", [{"key_id": "k2", "owner": "captain"}, {"key_id": "k1", "owner": "rook"}]
)
def test_in_another_row_it_does_not_open(place: dict[str, str]) -> None:
    sealed = MASTER.seal(SecretStr("hunter2"), **PLACE)
    with pytest.raises(SealBroken):
        MASTER.unseal(sealed, **place)


@given(st.data())
def test_a_changed_byte_breaks_the_seal(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(MASTER.seal(SecretStr("hunter2"), **PLACE)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken) as broken:
        MASTER.unseal(base64.b64encode(raw).decode(), **PLACE)
    assert "hunter2" not in str(broken.value)


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "ä", base64.b64encode(b"0" * 28).decode()])
def test_nonsense_does_not_open(sealed: str) -> None:
    with pytest.raises(SealBroken):
        MASTER.unseal(sealed, **PLACE)


def test_another_master_key_does_not_open_and_has_another_name() -> None:
    other = Master.new()
    with pytest.raises(SealBroken):
        other.unseal(MASTER.seal(SecretStr("hunter2"), **PLACE), **PLACE)
    assert other.name != MASTER.name == Master.of(MASTER.text).name


@pytest.mark.parametrize("text", ["", "secret", "A" * 44, base64.b64encode(b"0" * 31).decode()])
def test_what_is_not_32_bytes_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes") as refused:
        Master.of(text)
    assert not text or text not in str(refused.value)


def test_its_form_shows_nothing() -> None:
    assert MASTER.text not in f"{MASTER!r} {MASTER}"
    assert MASTER.name not in MASTER.text
