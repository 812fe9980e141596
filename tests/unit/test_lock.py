"""Pinned requirements that name a place are refused."""

from __future__ import annotations

import pytest

from bots.cli.exits import CommandError
from bots.cli.lock import check_clean

HASH = f"    --hash=sha256:{'0' * 64}"


def test_pins_with_hashes_and_markers_pass() -> None:
    check_clean(
        f"irc==20.5.0 \\\n{HASH} \\\n{HASH}\nx==1 ; python_version < '3.12' \\\n{HASH}\n# a\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "--index-url somewhere",
        "--extra-index-url file:simple",
        "--find-links wheels",
        "irc @ somewhere",
        "-e .",
        "# from https://example.org/simple",
        "/opt/wheels/irc.whl",
        "    --hash=md5:0",
    ],
)
def test_a_line_that_names_a_place_is_refused(line: str) -> None:
    with pytest.raises(CommandError, match="must not be shared"):
        check_clean(f"irc==20.5.0 \\\n{HASH}\n{line}\n")
