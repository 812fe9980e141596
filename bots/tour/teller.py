"""How the tour is told: headed steps, what was typed, what came back, what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

#: columns before what somebody said
_MARGIN = 9


class Teller:
    """Prints the story, and keeps the expectations that did not hold."""

    def __init__(self, console: Console) -> None:
        self._console = console
        if not console.is_terminal:
            # A file has no width: the very lines are not to be broken for it.
            console.width = 10_000
        self._steps = 0
        self.failures: list[str] = []

    def step(self, title: str) -> None:
        self._steps += 1
        self._console.print()
        text = Text(f"{self._steps}  {title}", style="bold")
        self._console.print(Rule(text, align="left") if self._console.is_terminal else text)

    def tell(self, text: str) -> None:
        """A sentence of our own."""
        self._padded(Text(text), 2)

    def command(self, words: str) -> None:
        """A command line that is run."""
        self._padded(Text(f"$ python3 run.py {words}", style="cyan"), 2)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show that something takes its time, where there is somebody to see it."""
        return self._console.status(what) if self._console.is_terminal else nullcontext()

    def said(self, nick: str, text: str) -> None:
        """A line of the visitor, or of the conversation."""
        self._padded(Text.assemble((f"<{nick}> ", "bold"), text), 2)

    def heard(self, lines: Iterable[tuple[float, str, str]]) -> None:
        """Lines that came back: seconds after the question, nick, text."""
        for after_s, nick, text in lines:
            margin = Text(f"{after_s:5.2f} s  ", style="dim")
            line = Text.assemble(margin, (f"<{nick}> ", "bold green"), text)
            if self._console.is_terminal:
                wrapped = line.wrap(self._console, max(20, self._console.width - _MARGIN))
                self._console.print(wrapped[0])
                for rest in wrapped[1:]:
                    self._padded(rest, _MARGIN)
            else:
                self._console.print(line)

    def expect(self, held: object, sentence: str) -> None:
        """Say that `sentence` is true; when it is not, the tour has failed, but goes on."""
        if held:
            self._padded(Text.assemble(("✓ ", "green"), sentence), 2)
        else:
            self.fault(sentence)

    def fault(self, sentence: str) -> None:
        self.failures.append(sentence)
        self._padded(Text.assemble(("✗ not so: ", "bold red"), sentence), 2)

    def end(self, lines: Iterable[str]) -> None:
        self._console.print()
        for line in lines:
            self._console.print(line, highlight=False)

    def _padded(self, text: Text, left: int) -> None:
        self._console.print(Padding(text, (0, 0, 0, left), expand=False))
