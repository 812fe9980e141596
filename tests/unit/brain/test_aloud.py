"""Thoughts are not said; everything else is, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.models.aloud import Aloud


def said(*pieces: str) -> str:
    aloud = Aloud()
    return "".join([*map(aloud.of, pieces), aloud.rest()])


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Four.", "Four."),
        ("<think>Two and two.</think>Four.", "Four."),
        ("\n<think>\nTwo and two.\n</think>\n\nFour.", "Four."),
        ("<think></think>Four.", "Four."),
        ("<think>a</think>b<think>c</think>", "b<think>c</think>"),
        ("<think>never comes to an end", ""),
        ("<thin", "<thin"),
        ("<thinking>", "<thinking>"),
        ("  spaces stay ", "  spaces stay "),
        ("Tags are written <think>.", "Tags are written <think>."),
        ("", ""),
    ],
)
def test_thoughts_in_front_are_left_out(text: str, heard: str) -> None:
    assert said(text) == heard
    assert said(*text) == heard


TEXTS = st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", " ", "a", "\n"]))


@given(TEXTS, st.data())
def test_pieces_do_not_matter(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cut = data.draw(st.integers(0, len(text)))
    assert said(text[:cut], text[cut:]) == said(text) == said(*text)
