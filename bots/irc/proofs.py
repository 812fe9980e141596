"""What became of what we said: from the server's later lines to one `Delivery` for each part.

After the parts of one utterance goes a PING with a token of its own. A server handles the lines of
a connection in order, so its PONG proves that every part before it was looked at. With
echo-message and labeled-response the proof is sharper: the echo itself, with its msgid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bots.irc.line import Line
from bots.messages import Delivery, Target

#: numerics that refuse a message; all name the target second (modern.ircdocs.horse/#numerics)
_REFUSALS = frozenset(
    {
        "401",
        "402",
        "403",
        "404",
        "405",
        "407",
        "408",
        "411",
        "412",
        "413",
        "414",
        "415",
        "416",
        "417",
        "437",
        "439",
        "442",
        "477",
        "482",
        "486",
        "487",
        "488",
        "489",
        "492",
        "531",
        "716",
    }
)


@dataclass(kw_only=True)
class Utterance:
    """Parts said to one target, and what is known of each."""

    target: Target
    parts: tuple[str, ...]
    token: str
    #: the server echoes our own messages, so that only an echo counts as sent
    echoed: bool
    done: asyncio.Future[None]
    deliveries: list[Delivery | None] = field(default_factory=list)
    #: how many parts were handed to the socket so far
    written: int = 0
    #: position of the part that carries this label
    labels: dict[str, int] = field(default_factory=dict)

    def settle(self, index: int, delivery: Delivery) -> None:
        self.deliveries[index] = delivery
        if None not in self.deliveries and not self.done.done():
            self.done.set_result(None)

    def undecided(self) -> list[int]:
        return [at for at, delivery in enumerate(self.deliveries) if delivery is None]


class Proofs:
    """Open utterances, oldest first. `on_said` is told each part that was sent but not echoed."""

    def __init__(self, fold: Callable[[str], str], on_said: Callable[[Target, str], None]) -> None:
        self._fold = fold
        self._on_said = on_said
        self._open: list[Utterance] = []
        self._batches: dict[str, str] = {}

    def expect(self, utterance: Utterance) -> None:
        utterance.deliveries = [None] * len(utterance.parts)
        self._open.append(utterance)

    def read(self, line: Line, *, own: bool) -> None:
        """Learn from one line of the server; `own` says that we are its sender (an echo)."""
        if line.command == "PONG":
            self._pong(line)
        elif line.command == "PRIVMSG" and own:
            self._echo(line)
        elif line.command == "BATCH":
            self._batch(line)
        elif line.command == "ACK":
            self._acknowledged(line)
        elif line.command in _REFUSALS:
            self._refused(line)

    def lost(self, why: str) -> None:
        """The connection is gone: what was written and has no proof may or may not have arrived."""
        for utterance in self._open:
            for at in utterance.undecided():
                written = at < utterance.written
                utterance.settle(
                    at, Delivery(sent=False, proof=why, unknown=written, unsaid=not written)
                )
        self._open.clear()

    def _pong(self, line: Line) -> None:
        found = next((u for u in self._open if u.token in line.params), None)
        if found is None:
            return
        self._open.remove(found)
        for at in found.undecided():
            if found.echoed:
                why = "the server answered later lines but did not echo this one"
                found.settle(at, Delivery(sent=False, proof=why, unknown=True))
            else:
                self._on_said(found.target, found.parts[at])
                found.settle(at, Delivery(sent=True, proof="pong"))

    def _echo(self, line: Line) -> None:
        utterance, at = self._by_label(line) or self._oldest(line.param(0)) or (None, 0)
        if utterance is None:
            return
        msgid = line.tags.get("msgid")
        utterance.settle(at, Delivery(sent=True, proof=f"msgid:{msgid}" if msgid else "echo"))

    def _acknowledged(self, line: Line) -> None:
        """ACK: handled, and nothing to say about it (labeled-response)."""
        utterance, at = self._by_label(line) or (None, 0)
        if utterance is not None and not utterance.echoed:
            self._on_said(utterance.target, utterance.parts[at])
            utterance.settle(at, Delivery(sent=True, proof="labeled-response"))

    def _refused(self, line: Line) -> None:
        refusal = Delivery(sent=False, proof=f"{line.command} {line.words}")
        if labelled := self._by_label(line):
            labelled[0].settle(labelled[1], refusal)
            return
        folded = self._fold(line.param(1))
        for utterance in self._open:
            undecided = utterance.undecided()
            if undecided and self._fold(utterance.target.name) == folded:
                # what closes a target closes it for the rest: the refused parts are the last
                utterance.settle(undecided[-1], refusal)
                return

    def _batch(self, line: Line) -> None:
        reference, label = line.param(0), line.tags.get("label")
        if reference.startswith("+") and label:
            self._batches[reference[1:]] = label
        elif reference.startswith("-"):
            self._batches.pop(reference[1:], None)

    def _by_label(self, line: Line) -> tuple[Utterance, int] | None:
        label = line.tags.get("label") or self._batches.get(line.tags.get("batch") or "")
        for utterance in self._open:
            if label in utterance.labels:
                return utterance, utterance.labels[label]
        return None

    def _oldest(self, target: str) -> tuple[Utterance, int] | None:
        folded = self._fold(target)
        for utterance in self._open:
            undecided = utterance.undecided()
            if undecided and utterance.echoed and self._fold(utterance.target.name) == folded:
                return utterance, undecided[0]
        return None
