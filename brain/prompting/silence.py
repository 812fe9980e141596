"""How a model says that it says nothing."""

from __future__ import annotations

import re
from typing import Final

#: the whole answer, in a turn that deserves none; prompts name it, people never see it
SILENCE: Final = "SILENT"

_SILENT: Final = re.compile(rf"[\W_]*{SILENCE}[\W_]*", re.IGNORECASE)


def is_silence(text: str) -> bool:
    """Whether an answer means that nothing shall be said: the word alone, however it is dressed."""
    return _SILENT.fullmatch(text) is not None
