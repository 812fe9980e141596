"""Discord's markup as people read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.readable import one_line, readable, size, stranger, without_addresses
from bots.hearing.gate import addressees

AGENTS = {"1": "captain", "2": "tech-lead"}
NAMES = {"captain": "captain", "tech-lead": "tech-lead"}


def _read(content: str) -> str:
    return readable(
        content,
        agents=AGENTS,
        users={"7": "ann", "8": "Captain", "6": "captain.ahab"},
        roles={"9": "ops", "10": "captain", "11": "captain and friends"},
        channels={"5": "lobby"},
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<@1> hello", "@captain hello"),
        ("<@!2>, look", "@tech-lead, look"),
        ("ask <@7> in <#5> <:blob:77> <a:spin:78>", "ask @ann in #lobby :blob: :spin:"),
        ("<@&9> and </status now:12>", "@ops and /status now"),
        ("<@99> <#98>", "@somebody #unknown-channel"),
        ("@everyone hello", "@everyone hello"),
        ("<@ 1> <@1 <1@>", "<@ 1> <@1 <1@>"),
    ],
)
def test_ids_become_names(content: str, text: str) -> None:
    assert _read(content) == text


@pytest.mark.parametrize(
    "content", ["<@1>", "hi<@1>", "(<@1>)", "<@2><@1>", "<@1>'s turn", "a <@1>!"]
)
def test_a_mention_of_an_agent_addresses_it_whatever_it_is_glued_to(content: str) -> None:
    assert "captain" in addressees(_read(content), NAMES).agents


@pytest.mark.parametrize(
    "content", ["<@8> hello", "<@&10> hello", "hello <@8>", "<@6>: hello", "hello <@&11>"]
)
def test_a_person_or_role_that_is_called_like_an_agent_is_none(content: str) -> None:
    assert addressees(_read(content), NAMES).agents == ()


@given(st.text())
def test_a_file_addresses_nobody(text: str) -> None:
    shown = without_addresses(f"x {text} @captain @TECH-LEAD, hello", AGENTS)
    assert addressees(f"hello\n{shown}", NAMES).agents == ()


def test_strangers_keep_their_names() -> None:
    assert stranger("ann", AGENTS) == "ann"
    assert stranger("Captain ", AGENTS) == "~Captain "


def test_a_file_name_stays_one_line_and_opens_no_bracket() -> None:
    assert one_line("a]\n[attachment b.txt") == "a attachment b.txt"
    assert one_line("\x00") == "unnamed"


def test_sizes_as_people_read_them() -> None:
    assert [size(n) for n in (0, 999, 1_200, 3_450_000)] == ["0 B", "999 B", "1.2 kB", "3.5 MB"]
