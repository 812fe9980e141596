"""How long a provider wants to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.models.retry_after import retry_after_s

NOON = "Fri, 20 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT", "date": NOON}, 30.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT", "date": NOON}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 -0000", "date": NOON}, None),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "1735689600000"}, 86_400.0),
        ({"retry-after-ms": "1e300"}, 86_400.0),
        ({"retry-after": "Fri, 20 Nov 2999 12:00:30 GMT", "date": NOON}, 86_400.0),
        ({"retry-after": f"Fri, 20 Nov {'9' * 20} 12:00:30 GMT", "date": NOON}, None),
        ({"retry-after": f"Fri, 20 Nov 2026 12:00:30 +{'9' * 20}", "date": NOON}, None),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT", "date": "today"}, None),
    ],
)
def test_seconds_are_read_where_they_can_be(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers) == wait_s


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()))
def test_whatever_stands_there_is_no_error(headers: dict[str, str]) -> None:
    wait_s = retry_after_s(headers)
    assert wait_s is None or 0 <= wait_s <= 86_400
