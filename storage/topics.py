"""Topics of events and the patterns that name them. Pure.

A topic is one or more words with dots between them: ``kill``, ``delegation.failed``. A pattern
names a topic and everything below it; a ``*`` in it stands for any one word. So ``delegation``
names all that happens to delegations, ``delegation.*`` all with a second word, ``*.failed``
whatever failed, ``*`` everything.
"""

from __future__ import annotations

import difflib
import re
from typing import Final

#: first word → what its events tell of
TOPICS: Final = {
    "deal": "what was bought and sold (comes with the market)",
    "delegation": "work that was handed over and ended: done, failed, cancelled, expired",
    "failure": "agents that cannot work",
    "budget": "money that is nearly spent",
    "knowledge": "what agents published for all",
    "kill": "kills, and kill.resumed: what took them back",
}
ANY: Final = "*"
LONGEST: Final = 100
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MOST_WORDS: Final = 4


class PatternError(ValueError):
    """It names no topic; the text says what to write."""


def pattern_of(text: str) -> str:
    """`text` as a pattern, in lower case; raises `PatternError`."""
    pattern = text.strip().lower()
    words = pattern.split(".")
    if len(words) > _MOST_WORDS or not all(w == ANY or _WORD.fullmatch(w) for w in words):
        raise PatternError(
            f"{text[:LONGEST]!r} is no topic: write words with dots between them, such as "
            "delegation.failed, or * for any word"
        )
    if words[0] != ANY and words[0] not in TOPICS:
        near = difflib.get_close_matches(words[0], TOPICS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TOPICS)}"
        raise PatternError(f"there is no topic {words[0]!r}; {hint}")
    return pattern


def matches(pattern: str, topic: str) -> bool:
    """Whether `pattern` names `topic` or something above it."""
    wanted, words = pattern.split("."), topic.split(".")
    if len(wanted) > len(words):
        return False
    return all(w in (ANY, word) for w, word in zip(wanted, words, strict=False))
