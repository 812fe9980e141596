"""Earlier turns of a conversation become shorter: in an agent's words where it has a model to ask,
else in a few of their own. The turns themselves stay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from brain.conversations import Line
from brain.errors import ModelFailed, PromptMissing
from brain.model import Occasion
from brain.summarise import Highlight, summarise
from storage import sessions
from storage.sessions import History
from storage.store import Store
from storage.tables import Turn

#: fewer turns than this are short enough
FEWEST = 2
#: conversations and characters that remain at most
_KEPT = 5
_MOST = 1_200
_LONGEST = 110
#: turns that are looked at, for a digest in their own words
_MOST_TURNS: Final = 200
#: characters of a model's summary that are kept
_MOST_OF_MODEL: Final = 4_000

#: asks a model for a summary of a digest and the turns after it; raises `ModelFailed`,
#: `PromptMissing`, and gives nothing where the model would not
InWords = Callable[[History, Occasion | None], Awaitable[str]]
#: when it ended (aware UTC), who asked, what was asked, what was answered
Exchange = tuple[datetime, str, str, str]


def compacted(exchanges: Sequence[Exchange], *, by: str) -> str:
    """What an agent should know of `exchanges` (oldest first) that it had; `by` is its name. Empty
    when there is too little to make shorter.
    """
    if len(exchanges) < FEWEST:
        return ""
    lines = []
    for at, asker, asked, answer in exchanges:
        lines.append(Line(at=at, nick=asker, text=_one_line(asked)))
        lines.append(Line(at=at, nick=by, text=_one_line(answer.partition("\n")[0])))
    found = summarise(lines, _KEPT)
    if found is None:
        return ""
    people = ", ".join(nick for nick, _ in found.people if nick != by)
    about = f" about {', '.join(found.topics)}" if found.topics else ""
    head = f"Earlier: {len(exchanges)} questions of {people}{about}."
    rows = [_row(highlight) for highlight in found.highlights]
    if not rows:
        rows = [
            f"• <{asker}> {_crop(_one_line(asked))}" for _, asker, asked, _ in exchanges[-_KEPT:]
        ]
    return _cut([head, *rows])


@dataclass(frozen=True)
class Compacted:
    """What a compaction came to."""

    turns: int
    digest: str
    #: it is in a model's words
    by_model: bool


@dataclass(frozen=True)
class Compactor:
    """Makes one agent's sessions shorter. `in_words` asks its model; None where it has none, or
    one whose judgement is weak. `redact` hides secrets.
    """

    agent: str
    store: Store
    in_words: InWords | None
    redact: Callable[[str], str]
    #: aware UTC
    clock: Callable[[], datetime]

    async def compact(
        self, key: str, occasion: Occasion | None = None, *, keep: int = 0
    ) -> Compacted | None:
        """Let a digest stand for the turns of session `key`, the newest `keep` left as they are.
        None when there is nothing to make shorter, or when the conversation was begun anew or made
        shorter by somebody else meanwhile. Raises `StorageError`; a model that fails is done
        without.
        """
        async with self.store.reading() as unit:
            behind = await sessions.history(unit, self.agent, key, sessions.MOST_TURNS)
            turns = await sessions.since_begun(unit, self.agent, key, _MOST_TURNS)
        older = behind.turns[: max(0, len(behind.turns) - keep)]
        if not older or (len(older) < FEWEST and not behind.digest):
            return None
        until = older[-1].id or 0
        digest, by_model = await self._digest(
            History(behind.digest, older), turns[: max(0, len(turns) - keep)], occasion
        )
        if not digest:
            return None
        async with self.store.writing() as unit:
            done = await sessions.compact(
                unit, self.agent, key, until=until, digest=digest, now=self.clock()
            )
        return Compacted(len(older), digest, by_model) if done else None

    async def tidy(
        self, key: str, occasion: Occasion | None, *, tokens: int, size: Callable[[str], int]
    ) -> Compacted | None:
        """`make_room` when the session does not fit a window of `tokens` any more. It may ask a
        model, so its place is after an answer, when nobody waits.
        """
        async with self.store.reading() as unit:
            known = await sessions.window(unit, self.agent, key, tokens=tokens, size=size)
        return await self.make_room(key, occasion) if known.is_cut else None

    async def make_room(self, key: str, occasion: Occasion | None = None) -> Compacted | None:
        """`compact` for a window that overflowed: the newest exchange stays word for word, unless
        there is nothing else.
        """
        return await self.compact(key, occasion, keep=1) or await self.compact(key, occasion)

    async def _digest(
        self, history: History, turns: Sequence[Turn], occasion: Occasion | None
    ) -> tuple[str, bool]:
        """A digest of `history` by the model, else one of `turns`; and whether it is the former."""
        if self.in_words is not None:
            with suppress(ModelFailed, PromptMissing):
                told = (await self.in_words(history, occasion)).strip()
                if told:
                    return self.redact(told)[:_MOST_OF_MODEL], True
        exchanges = [(t.finished_at, t.asker, t.asked, t.answer) for t in turns]
        return self.redact(compacted(exchanges, by=self.agent)), False


def _row(highlight: Highlight) -> str:
    opening, reply = highlight.opening, highlight.reply
    answered = f" → {_crop(reply.text)}" if reply is not None else ""
    return f"• <{opening.nick}> {_crop(opening.text)}{answered}"


def _cut(rows: Sequence[str]) -> str:
    """As many whole rows as there is room for."""
    kept: list[str] = []
    for row in rows:
        if sum(len(r) + 1 for r in kept) + len(row) > _MOST:
            break
        kept.append(row)
    return "\n".join(kept)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _crop(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
