"""Whatever JSON claims to be an envelope: it has the form of one, or is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bots.hooks.envelope import Stale, check_fresh
from bots.hooks.proof import is_envelope, opened
from bots.hooks.refusal import Refused
from storage.nonces import SKEW

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "id": "nightly",
    "kind": "task",
    "from": "cron",
    "to": "captain",
    "issued_at": "2026-11-20T12:00:00Z",
    "expires_at": "2026-11-20T12:01:00+00:00",
    "nonce": "abc",
    "hops": 0,
    "reply_to": "",
    "body": {"message": "count"},
    "alg": "hmac-sha256",
    "key_id": "cron-1",
    "signature": "sig",
}


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON, min_size=1, max_size=4))
def test_anything_is_an_envelope_or_refused(changes: dict[str, Any]) -> None:
    try:
        sealed = opened(GOOD | changes)
    except Refused as refused:
        told = refused.code
    else:
        told = "" if isinstance(sealed.words, bytes) else "no words"
    assert told in {"", "bad_envelope"}


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_script_is_not_taken_for_a_sender(body: dict[str, Any]) -> None:
    assert not is_envelope({**body, "message": "x"}) or {"signature", "key_id", "body"} <= set(body)


def test_what_is_signed_is_what_was_sent() -> None:
    words = opened(GOOD).words
    assert words == rfc8785.dumps({k: v for k, v in GOOD.items() if k != "signature"})
    # For texts and whole numbers the standard library makes the same, as docs/HOOKS.md says.
    unsigned = {k: v for k, v in GOOD.items() if k != "signature"}
    plain = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert words == plain.encode()
    assert opened(GOOD | {"signature": "other"}).words == words


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=8),
        st.text(st.characters(codec="utf-8")) | st.integers(-(2**53) + 1, 2**53 - 1),
    )
)
def test_the_page_s_way_to_sign_is_the_canonical_one(body: dict[str, Any]) -> None:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert rfc8785.dumps(body) == plain.encode()


@given(st.integers(-1_000, 1_000), st.integers(-1_000, 1_000))
def test_fresh_is_what_was_issued_lately_and_has_not_expired(issued_s: int, expires_s: int) -> None:
    issued, expires = NOW + timedelta(seconds=issued_s), NOW + timedelta(seconds=expires_s)
    envelope = opened(
        GOOD | {"issued_at": issued.isoformat(), "expires_at": expires.isoformat()}
    ).envelope
    if abs(NOW - issued) <= SKEW and expires > NOW:
        check_fresh(envelope, NOW)
    else:
        with pytest.raises(Stale):
            check_fresh(envelope, NOW)
