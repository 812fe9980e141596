"""The brain without a model: it understands by rules, calls the same tools through the same loop,
and says so.

It sees what a language model would see, the conversation and nothing else, beside its soul and
the clock.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Reader,
    Role,
    ToolCall,
)
from brain.offline import phrase as phrases
from brain.offline.intents import CANNOT, NOTHING, plan
from brain.offline.phrase import Phrase, subject
from brain.offline.plan import Look, Plan, Say
from brain.souls import Soul
from brain.words import telling

LABEL = "offline brain"
_AFTER = re.compile(r"^(?:and|what\s+about|how\s+about|same\s+for|or)\b\s*", re.IGNORECASE)


class OfflineModel:
    """`names` are those by which people address the agent; `now` reads aware UTC."""

    name = "offline"
    label = LABEL
    capabilities = Capabilities(
        tools=True, streaming=False, json_schema=False, context_tokens=1_000_000
    )

    def __init__(self, soul: Soul, names: Sequence[str], now: Callable[[], datetime]) -> None:
        self._soul = soul
        self._names = tuple(names)
        self._now = now

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """Tool calls for a fresh question, words for what the tools found."""
        asked = [i for i, m in enumerate(conversation.messages) if m.role is Role.USER]
        if not asked:
            return Completion(text=_labelled("Nobody has asked me anything."))
        questions = [conversation.messages[i].text for i in asked]
        results = [m for m in conversation.messages[asked[-1] :] if m.role is Role.TOOL]
        decided = self._plan(questions)
        if results:
            return Completion(text=_labelled(_worded(decided, results)))
        if isinstance(decided, Say):
            return Completion(text=_labelled(decided.text))
        if decided.tool not in {spec.name for spec in conversation.tools}:
            return Completion(text=_labelled(f"I may not use {decided.tool} here. {CANNOT}"))
        call = ToolCall(
            id=f"call-{len(conversation.messages)}",
            name=decided.tool,
            arguments=dict(decided.arguments),
        )
        return Completion(tool_calls=(call,))

    def _plan(self, questions: Sequence[str]) -> Plan:
        """The plan for the last question, which may lean on the one before it: “and in #code?”."""
        phrase = self._read(questions[-1])
        after = _AFTER.match(phrase.text)
        if after is not None and len(questions) > 1:
            before = plan(self._read(questions[-2]), self._soul)
            if isinstance(before, Look):
                return _changed(before, phrase, phrase.text[after.end() :])
        return plan(phrase, self._soul)

    def _read(self, text: str) -> Phrase:
        return phrases.read(text, self._names, self._now())


def _changed(before: Look, phrase: Phrase, rest: str) -> Look:
    """The plan before with the channel, the time or the subject that the new question names."""
    kept = dict(before.arguments)
    if phrase.when.arguments:
        kept = {name: value for name, value in kept.items() if name not in ("hours", "day")}
    kept |= phrase.scope
    slot = next((name for name in ("query", "topic", "capability", "nick") if name in kept), None)
    if slot is not None and telling(rest):
        kept[slot] = subject(rest)
    return dataclasses.replace(before, arguments=kept)


def _worded(decided: Plan, results: Sequence[Message]) -> str:
    found = "\n".join(result.text for result in results)
    if any(result.is_error for result in results):
        return f"I could not do that: {found}"
    if isinstance(decided, Look) and decided.lead:
        # Nothing found stands alone: a lead would promise what does not come.
        nothing = found.startswith("I have heard nothing")
        return f"{found} {NOTHING}" if nothing else f"{decided.lead}\n{found}"
    return found


def _labelled(text: str) -> str:
    return f"[{LABEL}] {text}"
