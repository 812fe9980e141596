"""What an instruction says about where its result goes, pure: “… and post it to #reports”."""

from __future__ import annotations

import re

_THEN_POST = re.compile(
    r"""[\s,;.]*\b(?:and\s+(?:then\s+)?|then\s+)
        (?:post|send|put|publish|share|report)\s+
        (?:(?:it|that|this|them|(?:the|your)\s+(?:result|results|summary|answer|report|findings?))\s+)?
        (?:to|in|into|on|at)\s+
        (?P<place>(?:(?:irc|discord):)?[\#&][^\s,;.!?]+)[.!]?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)


def destination_of(instruction: str) -> tuple[str, str]:
    """The instruction without its last words about a channel, and that channel; empty when it names
    none.
    """
    found = _THEN_POST.search(instruction)
    if found is None or not instruction[: found.start()].strip():
        return instruction, ""
    return instruction[: found.start()].rstrip(" ,;"), found["place"]
