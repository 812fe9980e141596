"""Minutes in a model's own words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from brain.model import Completion, Conversation, Model, Occasion, Stop
from brain.prompting.assembling import Assembler

#: lines that are asked for, and tokens that are allowed
_LINES: Final = 10
_OUTPUT_TOKENS: Final = 700


@dataclass(frozen=True)
class Minuting:
    """`agent` is who writes."""

    agent: str
    model: Model
    assembler: Assembler

    async def __call__(self, kind: str, plain: str, occasion: Occasion) -> Completion:
        """Minutes of this kind (``stand-up``, ``notes``) out of the plain list of what happened;
        without text where the model refuses. Raises `ModelFailed`, `PromptMissing`.
        """
        task = self.assembler.task(
            "minutes",
            {"name": self.agent, "kind": kind, "lines": _LINES},
            [self.assembler.found("record", plain)],
        )
        conversation = Conversation(
            system=task.system,
            messages=task.messages,
            occasion=occasion,
            max_output_tokens=_OUTPUT_TOKENS,
        )
        completion = await self.model.query(conversation)
        return replace(completion, text="") if completion.stop is Stop.REFUSED else completion
