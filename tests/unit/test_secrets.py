"""Secrets come by reference, from closed files only, and never show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bots.secrets import HIDDEN, Redactor, SecretError, resolve, resolve_each


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_TEST_TOKEN", "abcdef")
    assert resolve("env:PARLEY_TEST_TOKEN") == "abcdef"
    monkeypatch.delenv("PARLEY_TEST_TOKEN")
    with pytest.raises(SecretError, match="env:PARLEY_TEST_TOKEN: this variable is not set"):
        resolve("env:PARLEY_TEST_TOKEN")


def test_closed_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(" hunter2\n")
    path.chmod(0o600)
    assert resolve(f"file:{path}") == "hunter2"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_open_file_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("hunter2")
    path.chmod(mode)
    with pytest.raises(SecretError) as error:
        resolve(f"file:{path}")
    assert f"chmod 600 {path}" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_of_many_those_that_cannot_be_had_say_why(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hunter2")
    path.chmod(0o600)
    there, gone = f"file:{path}", f"file:{tmp_path / 'none'}"
    found, missing = resolve_each([gone, there, gone])
    assert found == {there: "hunter2"}
    assert missing == {gone: f"{gone}: no such file"}


def test_missing_empty_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="no such file"):
        resolve(f"file:{tmp_path / 'none'}")
    for content, words in ((b" \n", "is empty"), (b"\xff\xfe", "is not UTF-8")):
        path = tmp_path / "token"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(SecretError, match=words):
            resolve(f"file:{path}")
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    with pytest.raises(SecretError, match="cannot be read"):
        resolve(f"file:{folder}")


def test_a_plain_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(SecretError) as error:
        resolve("hunter2")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"key sk-{'a1' * 12}", "a1" * 12),
        ("Authorization: Bearer abcdef.ghijkl-123", "abcdef.ghijkl-123"),
        (">> PASS :hunter2", "hunter2"),
        ("'PASS hunter2'", "hunter2"),
        ("OPER root :hunter2", "hunter2"),
        ("AUTHENTICATE AGFsaWNlAGh1bnRlcjI=", "AGFsaWNlAGh1bnRlcjI="),
        ("PRIVMSG NickServ :IDENTIFY captain hunter2", "hunter2"),
        ("PRIVMSG NickServ :identify hunter2", "hunter2"),
        ("postgresql+psycopg://parley:hunter2@db/parley", "hunter2"),
        ('{"token": "hunter2hunter2"}', "hunter2hunter2"),
        ("api_key=hunter2hunter2&x=1", "hunter2hunter2"),
        (
            "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWsAAA",
            "ZnCjm1XVW7vRze4b7Cq4se7kKWsAAA",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----", "MC4CAQ"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str) -> None:
    assert hidden not in Redactor().redact(text)
    assert HIDDEN in Redactor().redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "AUTHENTICATE PLAIN",
        "the passenger was identified",
        "compass north",
        "see http://127.0.0.1:6667/status",
        "sk-short",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor().redact(text) == text


@given(
    secret=st.text(min_size=4, max_size=30), before=st.text(max_size=20), after=st.text(max_size=20)
)
def test_a_known_secret_never_shows(secret: str, before: str, after: str) -> None:
    assume(secret not in before + HIDDEN + after)
    redactor = Redactor([secret, secret[:4]])
    # Blanks on both sides, so that the neighbours cannot complete the secret anew.
    shown = redactor.redact(f"{before} {secret} {after}")
    if secret.strip() == secret:
        assert f" {secret} " not in shown
    quoted = json.dumps({"x": secret}, ensure_ascii=True)
    assert json.dumps(secret)[1:-1] not in redactor.redact(quoted)[7:]
