from __future__ import annotations

import asyncio

from bots.irc.line import Line
from bots.irc.proofs import Proofs, Utterance
from bots.messages import Delivery, Target


class Desk:
    """Proofs with one utterance of three parts to #c, all written."""

    def __init__(self, *, echoed: bool = False, written: int = 3, labels: bool = False) -> None:
        self.said: list[str] = []
        self.proofs = Proofs(str.lower, lambda _, text: self.said.append(text))
        self.utterance = Utterance(
            target=Target.parse("irc:#c"),
            parts=("a", "b", "c"),
            token="t1",
            echoed=echoed,
            done=asyncio.get_running_loop().create_future(),
            labels={"l0": 0, "l1": 1, "l2": 2} if labels else {},
        )
        self.proofs.expect(self.utterance)
        self.utterance.written = written

    def read(self, command: str, *params: str, own: bool = False, **tags: str) -> None:
        self.proofs.read(Line(command=command, params=params, tags=tags), own=own)

    def outcome(self) -> list[str]:
        return [_word(delivery) for delivery in self.utterance.deliveries]


def _word(delivery: Delivery | None) -> str:
    if delivery is None:
        return "open"
    return "unknown" if delivery.unknown else delivery.proof if delivery.sent else "refused"


async def test_the_pong_after_it_proves_everything_before_it() -> None:
    desk = Desk()
    desk.read("PONG", "srv", "other")
    assert desk.outcome() == ["open"] * 3
    desk.read("PONG", "srv", "t1")
    assert desk.outcome() == ["pong"] * 3
    assert desk.said == ["a", "b", "c"]
    assert desk.utterance.done.done()


async def test_a_refusal_before_the_pong_belongs_to_the_last_part() -> None:
    desk = Desk()
    desk.read("404", "me", "#C", "Cannot send")
    desk.read("401", "me", "somebody", "No such nick")
    desk.read("PONG", "srv", "t1")
    assert desk.outcome() == ["pong", "pong", "refused"]
    assert desk.said == ["a", "b"]


async def test_echoes_are_taken_in_order_with_their_msgid() -> None:
    desk = Desk(echoed=True)
    desk.read("PRIVMSG", "#C", "a", own=True, msgid="m1")
    desk.read("PRIVMSG", "#c", "b", own=False)
    desk.read("PRIVMSG", "#d", "x", own=True)
    desk.read("PRIVMSG", "#c", "b", own=True)
    assert desk.outcome() == ["msgid:m1", "echo", "open"]
    assert desk.said == []


async def test_a_line_that_was_not_echoed_is_unknown() -> None:
    desk = Desk(echoed=True)
    desk.read("PRIVMSG", "#c", "a", own=True)
    desk.read("PONG", "srv", "t1")
    assert desk.outcome() == ["echo", "unknown", "unknown"]


async def test_labels_say_which_part_is_meant() -> None:
    desk = Desk(echoed=True, labels=True)
    desk.read("404", "me", "#c", "Cannot send", label="l0")
    desk.read("PRIVMSG", "#c", "c", own=True, label="l2", msgid="m3")
    assert desk.outcome() == ["refused", "open", "msgid:m3"]


async def test_a_label_on_a_batch_counts_for_the_lines_in_it() -> None:
    desk = Desk(labels=True)
    desk.read("BATCH", "+x", "labeled-response", label="l1")
    desk.read("404", "me", "#c", "Cannot send", batch="x")
    desk.read("BATCH", "-x")
    assert desk.outcome() == ["open", "refused", "open"]


async def test_an_acknowledged_label_proves_the_line_where_nothing_is_echoed() -> None:
    desk = Desk(labels=True)
    desk.read("ACK", label="l0")
    assert desk.outcome() == ["labeled-response", "open", "open"]
    assert desk.said == ["a"]


async def test_a_loss_makes_unknown_what_was_written_and_refused_what_was_not() -> None:
    desk = Desk(written=2)
    desk.proofs.lost("gone")
    assert desk.outcome() == ["unknown", "unknown", "refused"]
