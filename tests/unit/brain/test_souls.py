from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from brain import souls
from brain.errors import SoulMissing
from brain.words import stems

EIGHT = [
    "auditor",
    "buyer",
    "captain",
    "harvester",
    "secretary",
    "skill-extractor",
    "soul-extractor",
    "tech-lead",
]


def test_the_eight_souls_are_there_and_distinct(prompts: Path) -> None:
    folder = prompts / "souls"
    assert souls.names(folder) == EIGHT
    every = [souls.load(folder, name) for name in EIGHT]
    for one, other in itertools.combinations(every, 2):
        shared = set(stems(one.body)) & set(stems(other.body))
        assert len(shared) < 0.4 * min(len(set(stems(s.body))) for s in (one, other))
    for soul in every:
        assert "\n" not in soul.description
        assert all(part in soul.body for part in ("## Voice", "## Duties", "## Limits"))


def test_a_missing_soul_is_told_with_the_nearest_name(prompts: Path) -> None:
    with pytest.raises(SoulMissing, match="did you mean 'captain'"):
        souls.load(prompts / "souls", "capitan")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# no front part", "front part"),
        ("---\ndescription: x\n", "front part"),
        ("---\ndescription: x\n---\nbody", "introduction"),
        ("---\ndescription: x\nintroduction: y\n---\n", "nothing below"),
        ("---\nnonsense\n---\nbody", "key: value"),
        ("", "front part"),
    ],
)
def test_a_broken_soul_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(SoulMissing, match=why):
        souls.parse("x", text)
