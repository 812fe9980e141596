"""Text that both databases take: PostgreSQL stores no NUL, and neither a lone surrogate."""

from __future__ import annotations

from typing import Final

REPLACEMENT: Final = "\ufffd"


def storable(text: str) -> str:
    """`text` with every NUL and lone surrogate replaced by U+FFFD."""
    if text.isprintable():
        return text
    kept = text.replace("\0", REPLACEMENT).encode("utf-16", "surrogatepass")
    return kept.decode("utf-16", "replace")
