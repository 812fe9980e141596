"""What a model says aloud: without the thoughts that some put in front of their answer."""

from __future__ import annotations

from enum import Enum, auto

_OPENS = "<think>"
_CLOSES = "</think>"


class _At(Enum):
    BEGINNING = auto()
    THOUGHT = auto()
    GAP = auto()
    ANSWER = auto()


class Aloud:
    """Takes text as it comes. Servers that do not know their model's thoughts for what they are
    leave them in its text, between `<think>` and `</think>`, at the very beginning.
    """

    def __init__(self) -> None:
        self._at = _At.BEGINNING
        #: text of which it is not known yet what it is
        self._held = ""

    def of(self, text: str) -> str:
        """The part of what has come so far that is aloud and was not given out before."""
        self._held += text
        if self._at is _At.BEGINNING:
            self._begin()
        if self._at is _At.THOUGHT:
            self._think()
        if self._at is _At.GAP:
            self._held = self._held.lstrip()
            self._at = _At.ANSWER if self._held else _At.GAP
        return self.rest() if self._at is _At.ANSWER else ""

    def rest(self) -> str:
        """What was held back and is no thought."""
        held, self._held = self._held, ""
        return "" if self._at is _At.THOUGHT else held

    def _begin(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(_OPENS):
            self._at = _At.THOUGHT
            self._held = begun.removeprefix(_OPENS)
        elif not _OPENS.startswith(begun):
            self._at = _At.ANSWER

    def _think(self) -> None:
        thought, closes, after = self._held.partition(_CLOSES)
        if closes:
            self._at = _At.GAP
            self._held = after
        else:
            # Of a thought only so much is kept as may be the beginning of its end.
            self._held = thought[-len(_CLOSES) :]
