"""An answer that grows: one message, edited at a lawful rate."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bots.discord.splitting import split_message
from bots.discord.streaming import Draft
from bots.messages import Delivery, Place, Target
from bots.transport import MORE, PartBegun
from storage.acts import Act, Permit
from storage.errors import StoreUnavailable

LOBBY = Target("discord", Place.CHANNEL, "5")
PERMIT = Permit(
    act=Act(agent="a", verb="send", target=str(LOBBY), reason="r", trace_id="t"),
    audit_hash="",
    good_until_s=1e12,
)


async def _begun(at: int, part: str) -> str:
    return f"r7.{at}"


@dataclass
class Channel:
    """A channel in memory, and a clock that only pauses move."""

    now_s: float = 0.0
    messages: dict[str, str] = field(default_factory=dict)
    acts: list[tuple[float, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    refusal: Delivery | None = None

    async def say_one(
        self, target: Target, part: str, permit: Permit, *, key: str, answers: str | None = None
    ) -> Delivery:
        if self.refusal:
            return self.refusal
        message = str(100 + len(self.keys))
        self.keys.append(key)
        self.messages[message] = part
        self.acts.append((self.now_s, "say"))
        return Delivery(sent=True, proof=f"id:{message}")

    async def edit(self, target: Target, message: str, part: str, permit: Permit) -> Delivery:
        if self.refusal:
            return self.refusal
        self.messages[message] = part
        self.acts.append((self.now_s, "edit"))
        return Delivery(sent=True, proof=f"id:{message}")

    async def take_back(self, target: Target, message: str, permit: Permit) -> Delivery:
        if self.refusal:
            return self.refusal
        del self.messages[message]
        self.acts.append((self.now_s, "take back"))
        return Delivery(sent=True, proof=f"id:{message}")

    async def pause(self, wait_s: float) -> None:
        self.now_s += wait_s
        await asyncio.sleep(0)

    def draft(
        self,
        begun: PartBegun | None = None,
        pause: Callable[[float], Awaitable[None]] | None = None,
    ) -> Draft:
        return Draft(
            self,
            LOBBY,
            PERMIT,
            begun=begun or _begun,
            split=split_message,
            answers=None,
            every_s=1.0,
            now_s=lambda: self.now_s,
            pause=pause or self.pause,
        )


async def test_many_words_are_few_edits_and_the_last_one_is_shown() -> None:
    channel = Channel()
    draft = channel.draft()
    words = ""
    for n in range(200):
        words += f"word{n} "
        draft.grow(words)
        channel.now_s += 0.02
        await asyncio.sleep(0)
    deliveries = await draft.finish(words + "end")
    assert list(channel.messages.values()) == [words + "end"]
    assert deliveries == [Delivery(sent=True, proof="id:100")]
    times = [at for at, _ in channel.acts]
    assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(times))
    assert len(times) > 3


async def test_what_does_not_fit_goes_on_in_a_second_message() -> None:
    channel = Channel()
    draft = channel.draft()
    draft.grow("a " * 900)
    await asyncio.sleep(0)
    deliveries = await draft.finish("a " * 1_500)
    assert channel.keys == ["r7.0", "r7.1"]
    assert "".join(channel.messages.values()).count("a") == 1_500
    assert [d.proof for d in deliveries] == ["id:100", "id:101"]


async def test_whenever_it_ends_the_last_message_says_that_more_was_to_come() -> None:
    channel = Channel()
    ends: list[str] = []

    async def pause(wait_s: float) -> None:
        await Channel.pause(channel, wait_s)
        ends.append(list(channel.messages.values())[-1])

    draft = channel.draft(pause=pause)
    draft.grow("word " * 1_200 + MORE)
    await draft.finish("word " * 1_500 + "end")
    assert len(channel.messages) == 4
    assert all(MORE not in text for text in channel.messages.values())
    assert len(ends) > 4
    assert all(text.endswith(MORE) for text in ends[:-1])


@pytest.mark.parametrize("characters", range(3, 20))
async def test_the_mark_leaves_a_code_block_whole(characters: int) -> None:
    channel = Channel()
    draft = channel.draft()
    draft.grow("```py\n" + f"{'x' * characters}\n" * 1_000)
    await asyncio.sleep(0)
    [shown] = channel.messages.values()
    assert len(shown) <= 2_000
    assert shown.endswith((f"\n```{MORE}", f"{MORE}\n```"))
    assert shown.count("`") == 6
    await draft.abandon()


async def test_an_answer_that_is_taken_back_leaves_nothing() -> None:
    channel = Channel()
    draft = channel.draft()
    await draft.finish("a " * 1_500)
    assert draft.standing == 2
    assert await draft.take_back()
    assert (channel.messages, draft.standing) == ({}, 0)


async def test_what_a_kill_keeps_from_being_taken_back_is_known_to_stand() -> None:
    channel = Channel()
    draft = channel.draft()
    await draft.finish("so far")
    channel.refusal = Delivery(sent=False, proof="killed by you")
    assert not await draft.take_back()
    assert draft.standing == 1


async def test_an_answer_that_became_shorter_leaves_no_remains() -> None:
    channel = Channel()
    draft = channel.draft()
    await draft.finish("a " * 1_500)
    assert await draft.finish("short") == [Delivery(sent=True, proof="id:100")]
    assert list(channel.messages.values()) == ["short"]


async def test_a_kill_stops_the_edits_and_says_what_is_shown() -> None:
    channel = Channel()
    draft = channel.draft()
    await draft.finish("so far")
    channel.refusal = Delivery(sent=False, proof="killed by you")
    delivery = (await draft.finish("so far and further"))[0]
    assert not delivery.sent
    assert delivery.proof == "only its beginning is shown: killed by you"
    assert list(channel.messages.values()) == ["so far"]


async def test_what_could_not_be_said_is_said_when_it_grows() -> None:
    channel = Channel()
    channel.refusal = Delivery(sent=False, proof="not connected", unsaid=True)
    draft = channel.draft()
    assert (await draft.finish("hello"))[0].unsaid
    channel.refusal = None
    assert (await draft.finish("hello"))[0].sent


async def test_what_cannot_be_written_down_is_not_said() -> None:
    async def unwritable(at: int, part: str) -> str:
        raise StoreUnavailable("the disk is full")

    channel = Channel()
    draft = channel.draft(unwritable)
    [delivery] = await draft.finish("hello")
    assert (delivery.sent, delivery.unsaid, delivery.proof) == (False, True, "the disk is full")
    assert channel.messages == {}
