"""A key never comes through, however the answer that has it is cut into pieces."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from brain.model import Completion, ToolCall
from brain.models.hiding import SHOWN, Hiding, hidden, is_secret

#: it begins with its own beginning again, which is the hard case
KEY = "aaba-aaba-aab-aaba"
BITS = st.lists(st.sampled_from(["a", "b", "-", "aab", "x ", KEY, KEY[:7], KEY[3:]]), max_size=40)


@dataclass
class Reading:
    text: str = ""
    pieces: list[str] = field(default_factory=list)

    def piece(self, text: str) -> None:
        self.text += text
        self.pieces.append(text)

    def anew(self) -> None:
        self.text = ""


@given(BITS)
def test_what_is_read_is_the_text_without_the_key(bits: list[str]) -> None:
    reading = Reading()
    hiding = Hiding(reading, KEY)
    for bit in bits:
        hiding.piece(bit)
        assert KEY not in reading.text
    hiding.finish()
    assert KEY not in reading.text
    assert reading.text == "".join(bits).replace(KEY, SHOWN)
    assert "" not in reading.pieces


def test_words_are_not_held_back() -> None:
    reading = Reading()
    hiding = Hiding(reading, KEY)
    hiding.piece("so it is")
    assert reading.text == "so it is"


def test_an_answer_that_begins_again_begins_with_nothing() -> None:
    reading = Reading()
    hiding = Hiding(reading, KEY)
    hiding.piece(f"so {KEY[:5]}")
    hiding.anew()
    hiding.piece(KEY[5:])
    hiding.finish()
    assert reading.text == KEY[5:]


def test_no_tool_is_called_with_a_key() -> None:
    call = ToolCall(
        id="1",
        name="post",
        arguments={"text": f"it is {KEY}", "more": [{KEY: (KEY, 7, None)}]},
        unreadable=f'{{"text": "{KEY}',
    )
    clean = hidden(Completion(text=f"{KEY}!", tool_calls=(call,)), KEY)
    assert KEY not in str(clean)
    assert clean.text == f"{SHOWN}!"
    assert clean.tool_calls[0].arguments["more"] == [{SHOWN: [SHOWN, 7, None]}]


def test_a_word_is_no_key() -> None:
    assert not is_secret("ollama")
    assert is_secret("sk-0123456789abcdef")
