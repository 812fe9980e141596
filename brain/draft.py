"""An answer while it is being made."""

from __future__ import annotations

from brain.model import Reader
from storage.text import storable


class Draft:
    """Passes pieces on to `reader` and keeps them, for a turn may end in the middle of them. What
    can be neither stored nor sent is replaced; half a character waits for its other half.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._pieces: list[str] = []
        self._half = ""
        self._is_shown = False

    @property
    def text(self) -> str:
        """What the query at work has said; empty when none is at work."""
        return "".join(self._pieces)

    def piece(self, text: str) -> None:
        text = self._half + text
        # JSON spells some characters in two halves (RFC 8259 section 7).
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = storable(text.removesuffix(self._half))
        if not text:
            return
        self._pieces.append(text)
        self._is_shown = True
        self._reader.piece(text)

    def anew(self) -> None:
        self._pieces.clear()
        self._half = ""
        self._is_shown = False
        self._reader.anew()

    def begin(self) -> None:
        """The next query: what was said beside tool calls is not the answer."""
        self._half = ""
        if self._is_shown:
            self.anew()

    def end(self) -> None:
        """The query is done: its text is in the completion."""
        self._pieces.clear()
        self._half = ""
