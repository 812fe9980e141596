"""How many tokens a text has, without anybody's tokenizer: near enough to choose what fits.

`estimate` leans high for prose. It is no bill: that is what the provider's `usage` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from brain.model import Conversation, Message, ToolSpec

#: role, separators: what a provider adds to a message
PER_MESSAGE: Final = 5
#: of a system prompt with its soul and eight peers, roughly
SYSTEM_TOKENS: Final = 1_300
#: of the tools behind it, roughly
TOOLS_TOKENS: Final = 4_500
#: and never more than this part of a context, see `brain.models.fitting`
TOOLS_SHARE: Final = 4
ANSWER_TOKENS: Final = 1_024
#: what servers on small machines read unless told otherwise
SMALL_CONTEXT: Final = 4_096
#: an exchange or two: from a small context on there is memory, however little
LEAST_HISTORY: Final = 300
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


def of_messages(messages: Iterable[Message]) -> int:
    return sum(map(_of_message, messages))


def of_conversation(conversation: Conversation) -> int:
    """What a provider reads: system prompt, messages, and the tools' descriptions."""
    tools = sum(map(of_tool, conversation.tools))
    return estimate(conversation.system) + tools + of_messages(conversation.messages)


def of_tool(spec: ToolSpec) -> int:
    """Its description, as a model is shown it."""
    words = estimate(spec.name) + estimate(spec.description) + estimate(str(spec.parameters))
    return PER_MESSAGE + words


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


def windows(context_tokens: int, *, has_tools: bool = True) -> Windows:
    """A third of what system prompt and answer leave of a model's context for the conversation, a
    tenth for what else was said there; never more than is worth its price. The rest is for the
    question and what tools find.
    """
    tools = min(TOOLS_TOKENS, context_tokens // TOOLS_SHARE) if has_tools else 0
    before = SYSTEM_TOKENS + tools
    room = max(0, context_tokens - ANSWER_TOKENS - before)
    least = LEAST_HISTORY if context_tokens >= SMALL_CONTEXT else 0
    history = max(least, min(MOST_HISTORY, room // 3))
    return Windows(history=history, talk=min(MOST_TALK, room // 10))
