"""The small model on this machine: chat completions, asked for no more than it can do.

It proves the path from a line in a channel to a language model and back without a key. Its
judgement is chance, so it is weak, and no setting gives it tools.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from brain.models import chat
from brain.models.packaged import CONTEXT_TOKENS, MAX_OUTPUT_TOKENS, MODEL
from brain.models.provider import ModelSpec, Provider

#: it says nothing while it reads, or while others are served: its silence is work
_PATIENCE_S: Final = 45.0


def connect(spec: ModelSpec) -> Provider:
    """The model behind `spec.base_url`; opens nothing yet. Raises `ValueError` without an address,
    for the SDK would take another one, outside of this machine.
    """
    if not spec.base_url:
        raise ValueError(f"{spec.name}: nobody has said where the local model answers")
    return chat.connect(
        dataclasses.replace(
            spec,
            model=MODEL,
            keys=(),
            timeout_s=max(spec.timeout_s, _PATIENCE_S),
            tools=False,
            context_tokens=min(spec.context_tokens or CONTEXT_TOKENS, CONTEXT_TOKENS),
            max_output_tokens=min(spec.max_output_tokens, MAX_OUTPUT_TOKENS),
        )
    )
