"""mIRC colour and format codes out of a text (modern.ircdocs.horse/formatting)."""

from __future__ import annotations

import re

_CODES = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?"  # colour
    r"|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"  # hex colour
    r"|[\x00-\x02\x05-\x08\x0a-\x1f\x7f]"  # bold, italics …, and control characters with no meaning
)


def plain(text: str) -> str:
    """`text` as a person reads it; tabs stay."""
    return _CODES.sub("", text)
