"""The pictures that ship are ours, small, and as the code draws them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from bots.discord.drawing import SIDE, draw

SHIPPED = sorted((Path(__file__).parents[3] / "prompts" / "avatars").glob("*.png"))


def test_every_agent_of_the_shipped_swarm_has_one() -> None:
    assert len(SHIPPED) >= 8


@pytest.mark.parametrize("picture", SHIPPED, ids=lambda p: p.stem)
def test_a_picture_is_small_square_and_drawn_by_this_code(picture: Path) -> None:
    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (SIDE, SIDE)
    assert len(data) < 8_000
    assert data == draw(picture.stem)


def test_any_other_agent_gets_one_of_its_own() -> None:
    assert draw("rook") == draw("rook")
    assert draw("rook") != draw("bishop")
