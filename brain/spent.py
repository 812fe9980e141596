"""What one turn has used so far; the tries that answer the same question share it."""

from __future__ import annotations

from dataclasses import dataclass, field

from brain.model import Completion, Usage


@dataclass
class Spent:
    #: how often the model was asked
    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    #: in billionths of a US dollar
    cost_nusd: int = 0
    #: reading of the loop's clock when its first try began, in seconds
    began_s: float | None = None
    #: of all completions, without repeats, in order
    _notes: dict[str, None] = field(default_factory=dict)

    def count(self, completion: Completion) -> None:
        """This was given."""
        self.usage += completion.usage
        self.cost_nusd += completion.cost_nusd
        self._notes |= dict.fromkeys(completion.notes)

    def notes(self, last: Completion) -> tuple[str, ...]:
        """What people should know of how an answer came to be: the notes of the completion that it
        is, then, told from them, those of the steps that led to it.
        """
        of_answer = dict.fromkeys(last.notes)
        before = " ".join(note for note in self._notes if note not in of_answer)
        return (*of_answer, f"On the way: {before}") if before else tuple(of_answer)
