"""Every example of docs/MARKET.md reads as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from market import nick, price, product, wait
from market.kinds import Line, NotUnderstood
from market.lines import parse
from market.misread import Misread

DOC = (Path(__file__).parents[3] / "docs" / "MARKET.md").read_text(encoding="utf-8")
LINES_PART = DOC.partition("\n## Ledger")[0]
TABLE = [
    found.replace("\\|", "|")
    for found in re.findall(r"^\| `((?:[^`])+)` \|", LINES_PART, re.MULTILINE)
]
EXAMPLES = [
    tuple(part.strip() for part in row.split(" -> "))
    for block in re.findall(r"^```\n(.*?)^```$", LINES_PART, re.MULTILINE | re.DOTALL)
    for row in block.splitlines()
]


def _kinds(of: type[Line]) -> set[str]:
    """The words of every kind that is spoken."""
    under = [_kinds(kind) for kind in of.__subclasses__()]
    return set().union(*under) if under else {of.WORD}


def test_the_table_has_every_kind() -> None:
    read = [parse(line) for line in TABLE]
    assert {line.WORD for line in read if isinstance(line, Line)} == _kinds(Line)


@pytest.mark.parametrize("line", TABLE)
def test_the_lines_of_the_table_are_canonical(line: str) -> None:
    assert str(parse(line)) == line


@pytest.mark.parametrize(("typed", "meant"), EXAMPLES)
def test_an_example_reads_as_the_page_says(typed: str, meant: str) -> None:
    match parse(typed):
        case None:
            assert meant == "(talk)"
        case Misread(why=why):
            assert why == meant
            assert NotUnderstood(why=why).why == why
        case line:
            assert str(line) == meant


def test_the_bounds_are_those_of_the_code() -> None:
    words = " ".join(LINES_PART.split())
    assert f"at most {price.MOST_MICROCREDITS // price.CREDIT} credits" in words
    assert f"1 to {product.LONGEST} characters" in words
    assert f"note of at most {product.LONGEST_NOTE} characters" in words
    assert f"at most {nick.LONGEST} characters in one script" in words
    assert wait.LONGEST_S == 7 * 24 * 3600
    assert "at most seven days" in words
