"""How many tokens a request has at most, without any vendor's tokenizer. Pure.

Byte-level tokenizers, which all vendors and the open models use, never make more tokens of a text
than it has bytes in UTF-8: each token stands for at least one byte. Some bring the text into the
normal form NFKC first, which can make it longer, so the longer of the two counts. What is no text
(marks between messages, the vendor's own words around tools) is covered by allowances several
times as large as any that is known. For English the bound is about four times the truth; it is
reserved only, and what is billed is the truth.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Final

from brain.model import Conversation, Message

#: beginning and end of a request, and what an adapter says where messages were left out
_REQUEST: Final = 256
#: role and marks of a message, ids and marks of a tool call or of its result
_MESSAGE: Final = 32
_CALL: Final = 128
#: a vendor's instructions on tools or on a schema (Anthropic's: some 300 to 800 tokens), once
_INSTRUCTIONS: Final = 2048
#: marks of each tool beyond its JSON
_TOOL: Final = 128
#: adapters rewrite a schema for vendors that do not take all of JSON schema
_REWRITTEN: Final = 2


def input_tokens(conversation: Conversation) -> int:
    """Never fewer tokens than the request's input is billed with."""
    bound = _REQUEST + text_tokens(conversation.system)
    bound += sum(map(_message, conversation.messages))
    if conversation.tools or conversation.json_schema is not None:
        bound += _INSTRUCTIONS
    for tool in conversation.tools:
        words = text_tokens(tool.name) + text_tokens(tool.description)
        bound += _TOOL + words + _REWRITTEN * _json_tokens(tool.parameters)
    if conversation.json_schema is not None:
        bound += _REWRITTEN * _json_tokens(conversation.json_schema)
    return bound


def text_tokens(text: str) -> int:
    """Never fewer tokens than any tokenizer makes of the text."""
    if text.isascii():
        return len(text)
    return max(_bytes(text), _bytes(unicodedata.normalize("NFKC", text)))


def _message(message: Message) -> int:
    bound = _MESSAGE + text_tokens(message.text)
    if message.tool_call_id:
        bound += _CALL + text_tokens(message.tool_call_id)
    for call in message.tool_calls:
        bound += _CALL + text_tokens(call.id) + text_tokens(call.name)
        bound += _json_tokens(call.arguments)
    return bound


def _json_tokens(value: Any) -> int:
    """JSON as text, with what is not ASCII escaped or not, and blanks between as usual."""
    escaped = json.dumps(value, default=str)
    return max(len(escaped), text_tokens(json.dumps(value, default=str, ensure_ascii=False)))


def _bytes(text: str) -> int:
    # Half a surrogate pair can come in by JSON; it must not stop the counting.
    return len(text.encode("utf-8", "surrogatepass"))
