"""How a model says that it says nothing."""

from __future__ import annotations

import re
from typing import Final

#: the whole answer, in a turn that deserves none; prompts name it, people never see it
SILENCE: Final = "SILENT"

_DRESS: Final = r"[\W_]*"
_SILENT: Final = re.compile(f"{_DRESS}{SILENCE}{_DRESS}", re.IGNORECASE)
_BEFORE: Final = re.compile(_DRESS)


def is_silence(text: str) -> bool:
    """Whether an answer means that nothing shall be said: the word alone, however it is dressed."""
    return _SILENT.fullmatch(text) is not None


def may_become(text: str) -> bool:
    """Whether what is written so far is nothing yet, or may still end as `is_silence`."""
    begun = _BEFORE.sub("", text, count=1)
    return is_silence(begun + SILENCE[len(begun) :])
