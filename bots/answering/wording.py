"""What stands below an answer where it is said. Pure."""

from __future__ import annotations

from brain.loop import Answer

#: Discord shows such a line small
_SMALL = "-# "


def footed(answer: Answer, *, roomy: bool) -> str:
    """The answer, and below it what people should know of how it came to be."""
    notes = " ".join(answer.notes)
    if not notes:
        return answer.text
    return f"{answer.text}\n{_SMALL}{notes}" if roomy else f"{answer.text}\n({notes})"
