"""Sessions, packing, intents, the IDENTIFY budget: rules without a socket."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox import intents, visibility
from bots.sandbox.compression import Plain, ZlibStream, packer
from bots.sandbox.events import Event, Intent
from bots.sandbox.frames import Close, Op, Refused, parse
from bots.sandbox.model import User
from bots.sandbox.ready import member_chunks
from bots.sandbox.session import Session, encode
from bots.sandbox.starts import SessionStarts

BOT = User(id=1, name="captain", token="t", bot=True)


class Tape:
    """A wire that keeps what it was given."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))


@given(
    told=st.lists(st.text()), keep=st.integers(1, 20), seen=st.integers(0, 30), lost=st.booleans()
)
def test_replay_is_exactly_what_came_after_or_refused(
    told: list[str], keep: int, seen: int, *, lost: bool
) -> None:
    session = Session("s", BOT, None, keep=keep)
    tape = Tape()
    session.wire = None if lost else tape
    for text in told:
        session.tell("MESSAGE_CREATE", encode({"content": text}))
    assert session.last_seq == len(told)
    if not lost:
        assert [f["s"] for f in tape.frames] == list(range(1, len(told) + 1))
    covered = len(told) - min(keep, len(told)) <= seen <= len(told)
    assert session.covers(seen) == covered
    if covered:
        frames = [json.loads(f) for f in session.since(seen)]
        assert [f["d"]["content"] for f in frames] == told[seen:]
        assert all(f["op"] == Op.DISPATCH and f["t"] == "MESSAGE_CREATE" for f in frames)


@given(st.lists(st.text(min_size=1)))
def test_a_zlib_stream_gives_every_message_back_whole(texts: list[str]) -> None:
    pack, inflate = ZlibStream(), zlib.decompressobj()
    for text in texts:
        packed = pack.pack(text)
        assert isinstance(packed, bytes)
        assert packed.endswith(b"\x00\x00\xff\xff")
        assert inflate.decompress(packed).decode() == text


@pytest.mark.parametrize("name", [None, "", "zstd-stream", "gzip"])
def test_what_is_not_zlib_is_plain(name: str | None) -> None:
    assert isinstance(packer(name), Plain)


@pytest.mark.parametrize("value", [None, "513", 513.0, True, -1, 1 << 17, 1 << 40, [1]])
def test_what_is_no_set_of_known_intents_is_refused(value: object) -> None:
    assert intents.parse(value) is None


@given(st.sets(st.sampled_from(list(Intent))), st.sets(st.sampled_from(list(intents.PRIVILEGED))))
def test_only_privileged_intents_need_to_be_allowed(wanted: set[Intent], allowed: set[str]) -> None:
    bits = Intent(0)
    for intent in wanted:
        bits |= intent
    assert intents.parse(int(bits)) == bits
    withheld = {i for name, i in intents.PRIVILEGED.items() if name not in allowed}
    assert bool(intents.forbidden(bits, allowed)) == bool(wanted & withheld)


@given(
    to=st.none() | st.frozensets(st.integers(1, 3)),
    channel=st.none() | st.integers(1, 2),
    intent=st.none() | st.sampled_from(list(Intent)),
    held=st.none() | st.builds(Intent, st.integers(0, (1 << 17) - 1)),
    viewable=st.booleans(),
)
def test_an_event_is_heard_by_whom_it_is_for_who_may_see_and_who_asked(
    to: frozenset[int] | None,
    channel: int | None,
    intent: Intent | None,
    held: Intent | None,
    *,
    viewable: bool,
) -> None:
    event = Event(name="X", payload=lambda _: {}, to=to, channel_id=channel, intent=intent)
    heard = visibility.hears(event, BOT, held, lambda _user, _channel: viewable)
    assert heard == (
        (to is None or BOT.id in to)
        and (channel is None or viewable)
        and (held is None or intent is None or intent in held)
    )


def test_withheld_content_leaves_the_envelope() -> None:
    payload = {"id": "1", "content": "secret", "embeds": [{}], "attachments": [{}]}
    payload |= {"components": [{}], "mentions": []}
    assert visibility.without_content(payload) == {
        "id": "1",
        "content": "",
        "embeds": [],
        "attachments": [],
        "components": [],
        "mentions": [],
    }
    assert payload["content"] == "secret"


def test_starts_are_counted_a_day_long_by_bot() -> None:
    now = 0.0
    starts = SessionStarts(per_day=2, pause_s=5.0, clock=lambda: now)
    assert not starts.too_soon(1)
    assert starts.take(1)
    assert starts.too_soon(1)
    now = 10.0
    assert not starts.too_soon(1)
    assert starts.take(1)
    assert not starts.take(1)
    assert starts.take(2)
    assert (starts.remaining(1), starts.remaining(2), starts.remaining(3)) == (0, 1, 2)
    assert starts.limit(1)["reset_after"] == 86_390_000
    now = 86_400.0
    assert starts.limit(1) == {
        "total": 2,
        "remaining": 1,
        "reset_after": 10_000,
        "max_concurrency": 1,
    }


@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_text_that_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text)
    assert refused.value.code is Close.DECODE_ERROR


@given(st.integers() | st.booleans() | st.floats() | st.none(), st.none() | st.text(max_size=99))
def test_a_frame_with_another_op_is_unknown_or_not_one(op: Any, data: Any) -> None:
    if type(op) is int and op in set(Op):
        assert parse(json.dumps({"op": op, "d": data})) == (op, data)
        return
    with pytest.raises(Refused) as refused:
        parse(json.dumps({"op": op, "d": data}))
    expected = Close.UNKNOWN_OPCODE if type(op) is int else Close.DECODE_ERROR
    assert refused.value.code is expected


def test_a_long_member_list_comes_in_numbered_chunks() -> None:
    members = [{"user": {"id": str(n), "username": f"u{n}"}} for n in range(2500)]
    guild = {"id": "9", "members": members, "presences": []}
    chunks = list(member_chunks({"query": "", "limit": 0, "nonce": "x" * 33}, guild, None))
    assert [(c["chunk_index"], c["chunk_count"], len(c["members"])) for c in chunks] == [
        (0, 3, 1000),
        (1, 3, 1000),
        (2, 3, 500),
    ]
    assert "nonce" not in chunks[0]


def test_the_whole_list_needs_the_members_intent_and_presences_theirs() -> None:
    member = {"user": {"id": "1", "username": "captain"}}
    guild = {"id": "9", "members": [member], "presences": [{"user": {"id": "1"}}]}
    whole = {"query": "", "limit": 0, "presences": True}
    assert list(member_chunks(whole, guild, Intent.GUILDS)) == []
    assert list(member_chunks(whole | {"limit": 5}, guild, Intent.GUILDS)) == []
    [chunk] = member_chunks(whole, guild, Intent.GUILD_MEMBERS)
    assert "presences" not in chunk
    [chunk] = member_chunks({"user_ids": ["1"]}, guild, Intent.GUILDS)
    assert chunk["members"] == [member]
