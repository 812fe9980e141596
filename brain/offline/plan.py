"""What the offline brain decides to do about a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Say:
    """Answer at once."""

    intent: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """Call a tool; what it finds is the answer."""

    intent: str
    tool: str
    arguments: Mapping[str, str | float | int] = field(default_factory=dict)
    #: sentence in front of what the tool finds
    lead: str = ""


Plan = Say | Look
