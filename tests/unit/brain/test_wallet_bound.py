"""The bound of a request's tokens is never below what a tokenizer makes of it."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from brain.model import Conversation, Message, Role, ToolCall, ToolSpec
from brain.wallet.bound import input_tokens, text_tokens

words = st.text(max_size=40)
values = st.recursive(st.integers() | words | st.none(), lambda v: st.dictionaries(words, v))


@given(st.text())
def test_a_text_has_no_more_tokens_than_bytes_in_either_form(text: str) -> None:
    bound = text_tokens(text)
    assert bound >= len(text.encode())
    assert bound >= len(unicodedata.normalize("NFKC", text).encode())


def test_a_sign_that_grows_when_it_is_normalised_counts_with_what_it_becomes() -> None:
    sign = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"
    assert text_tokens(sign) == 33 > len(sign.encode())


def test_half_a_surrogate_pair_stops_nothing() -> None:
    assert text_tokens("\ud800") >= 3


@given(words, words, st.dictionaries(words, values))
def test_everything_that_is_sent_counts(system: str, said: str, arguments: dict[str, Any]) -> None:
    tool = ToolSpec(name="search", description=said, parameters=arguments)
    call = ToolCall(id="call-1", name="search", arguments=arguments)
    whole = Conversation(
        system=system,
        messages=(
            Message(role=Role.USER, text=said),
            Message(role=Role.ASSISTANT, tool_calls=(call,)),
            Message(role=Role.TOOL, text=said, tool_call_id="call-1"),
        ),
        tools=(tool,),
        json_schema=arguments,
    )
    sent = [system, said, said, said, json.dumps(arguments), json.dumps(arguments), "search"]
    least = sum(len(text.encode()) for text in sent) + len(json.dumps(arguments))
    assert input_tokens(whole) >= least
    # What vendors add: marks a message, and instructions on tools.
    assert input_tokens(whole) - least >= 3 * 8 + 1000


def test_a_short_line_costs_little_to_reserve() -> None:
    asked = Conversation(system="", messages=(Message(role=Role.USER, text="hello"),))
    assert input_tokens(asked) < 300
