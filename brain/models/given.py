"""What a reader has been given of an answer that may have to begin again."""

from __future__ import annotations

from brain.model import Reader


class Given:
    """Passes an answer on to `reader`, if there is one, and knows whether that holds pieces of it.

    Who asks again calls `again` first: it tells the reader only when there is something to void.
    Itself a `Reader`, so that each layer around a model may put its own around the one it got.
    """

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader
        self._holds_pieces = False

    @property
    def reader(self) -> Reader | None:
        """What to hand to a model: None where nobody reads, for then a model need not stream."""
        return None if self._reader is None else self

    def piece(self, text: str) -> None:
        if self._reader is not None and text:
            self._holds_pieces = True
            self._reader.piece(text)

    def anew(self) -> None:
        if self._reader is not None:
            self._holds_pieces = False
            self._reader.anew()

    def again(self) -> None:
        """Void what was given, if anything was."""
        if self._holds_pieces:
            self.anew()
