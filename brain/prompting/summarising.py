"""A conversation in a model's own words: what an agent remembers where the turns are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from brain.model import Conversation, Model, Occasion, Stop
from brain.prompting.assembling import Assembler
from brain.prompting.tokens import estimate
from storage.sessions import History
from storage.tables import Turn

#: words that are asked for, and tokens that are allowed
_WORDS: Final = 250
_OUTPUT_TOKENS: Final = 700
#: tokens of one portion at most, and what a turn's marks and names take
_MOST_TOKENS: Final = 12_000
_PER_TURN: Final = 40
#: what it writes where nothing was worth keeping
_NOTHING: Final = "Nothing worth keeping."


@dataclass(frozen=True)
class Summariser:
    """`agent` is whose memory it is."""

    agent: str
    model: Model
    assembler: Assembler

    async def __call__(self, history: History, occasion: Occasion | None) -> str:
        """One digest of the old digest and the turns after it, portion by portion; empty where the
        model refuses or says nothing. Raises `ModelFailed`, `PromptMissing`.
        """
        budget = min(_MOST_TOKENS, self.model.capabilities.context_tokens // 2)
        digest = history.digest
        for part in portions(history.turns, budget):
            digest = await self._ask(History(digest, part), occasion)
            if not digest:
                return ""
        return digest

    async def _ask(self, history: History, occasion: Occasion | None) -> str:
        task = self.assembler.task(
            "summarise",
            {"name": self.agent, "words": _WORDS, "nothing": _NOTHING},
            self.assembler.remembered(history, self.agent),
        )
        conversation = Conversation(
            system=task.system,
            messages=task.messages,
            occasion=occasion,
            max_output_tokens=_OUTPUT_TOKENS,
        )
        completion = await self.model.query(conversation)
        return "" if completion.stop is Stop.REFUSED else completion.text.strip()


def portions(turns: Sequence[Turn], tokens: int) -> list[tuple[Turn, ...]]:
    """`turns` in order, in as few parts as hold at most `tokens` each; a turn that is longer stands
    alone.
    """
    parts: list[list[Turn]] = []
    left = 0
    for turn in turns:
        size = estimate(turn.asked) + estimate(turn.answer) + _PER_TURN
        if not parts or size > left:
            parts.append([])
            left = tokens
        parts[-1].append(turn)
        left -= size
    return [tuple(part) for part in parts]
