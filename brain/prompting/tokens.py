"""How many tokens a text has, without anybody's tokenizer: near enough to choose what fits.

`estimate` leans high for prose; `bound` is never too low for tokenizers over bytes (BPE, as all
our providers use), for no token is shorter than a byte. Neither is a bill: that is what the
provider's `usage` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from brain.model import Conversation, Message

#: role, separators: what a provider adds to a message
PER_MESSAGE: Final = 5
#: of a system prompt with its soul and eight peers, and of the tools behind it, roughly
SYSTEM_TOKENS: Final = 3_500
MOST_HISTORY: Final = 8_000
MOST_TALK: Final = 1_200
_WORD: Final = re.compile(r"[A-Za-z]+")
_MARK: Final = re.compile(r"[\x00-\x08\n-\x1f!-@\[-`{-\x7f]")


def estimate(text: str) -> int:
    """A word of up to six letters is one token, up to twelve two, and every letter more
    another (they are rarely words). So is every digit, mark and line break. A character of another
    script counts its bytes in UTF-8 less one. Against a BPE of 49,000 tokens: 0.95 to 1.3 times the
    truth for English chat, code, JSON and most scripts, 0.7 at worst (long German words).
    """
    wide = 0 if text.isascii() else len(text.encode("utf-8", "surrogatepass")) - len(text)
    return sum(map(_of_word, map(len, _WORD.findall(text)))) + len(_MARK.findall(text)) + wide


def _of_word(letters: int) -> int:
    if letters <= 6:
        return 1
    return 2 if letters <= 12 else letters - 10


def bound(text: str) -> int:
    """No fewer than it can be: a token for each byte of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def of_messages(messages: Iterable[Message]) -> int:
    return sum(map(_of_message, messages))


def of_conversation(conversation: Conversation) -> int:
    """What a provider reads: system prompt, messages, and the tools' descriptions."""
    tools = sum(
        PER_MESSAGE
        + estimate(spec.name)
        + estimate(spec.description)
        + estimate(str(spec.parameters))
        for spec in conversation.tools
    )
    return estimate(conversation.system) + tools + of_messages(conversation.messages)


def _of_message(message: Message) -> int:
    calls = sum(
        PER_MESSAGE + estimate(call.name) + estimate(str(dict(call.arguments)))
        for call in message.tool_calls
    )
    return PER_MESSAGE + estimate(message.text) + calls


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Tokens that a prompt's moving parts may fill."""

    history: int
    talk: int


def windows(context_tokens: int, max_output_tokens: int = 1024) -> Windows:
    """A third of what system prompt and answer leave of a model's context for the conversation, a
    tenth for what else was said there; never more than is worth its price. The rest is for the
    question, its files, and what tools find.
    """
    room = max(0, context_tokens - max_output_tokens - SYSTEM_TOKENS)
    return Windows(history=min(MOST_HISTORY, room // 3), talk=min(MOST_TALK, room // 10))
