"""Prompts are files: strict, versioned, known by a hash, and they can do no harm."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brain.errors import PromptMissing
from brain.prompting.templates import Templates

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FENCED = '<untrusted-0123456789ab source="x">\nwords\n</untrusted-0123456789ab>'
PEER = SimpleNamespace(
    name="auditor",
    nick="auditor_",
    role="auditor",
    capabilities=("audit", "stats"),
    description="checks.",
)
PLACE = SimpleNamespace(
    network="irc", channel="#lobby", line_characters=400, lines=3, has_markdown=False
)
WHO = {"name": "rook", "role": "tech-lead"}
SYSTEM = WHO | {
    "silence": "SILENT",
    "swarm": "parley",
    "nick": "rook_",
    "soul": "# Rook\n\nYou are calm.",
    "peers": [PEER],
    "has_tools": True,
    "place": PLACE,
    "channel": "#lobby",
    "is_thread": False,
    "addition": "Be brief.",
}
TURN = {
    "now": NOON,
    "thread": FENCED,
    "topic": FENCED,
    "talk": FENCED,
    "market": FENCED,
    "by_agent": False,
    "question": FENCED,
}
CHANNELS = [
    {"name": "#lobby", "talk": FENCED},
    {"name": "#market", "talk": ""},
]
HEARTBEAT = {
    "events": FENCED,
    "now": NOON,
    "since": NOON,
    "state": ["$0.40 left today"],
    "market": FENCED,
    "channels": CHANNELS,
    "silence": "SILENT",
}
NEGOTIATE = WHO | {
    "side": "buyer",
    "limits": ["at most 5.00 credits"],
    "actions": ["accept", "counter", "pass"],
}
#: every way in which a shipped template is used
USES: list[tuple[str, dict[str, Any]]] = [
    ("system", SYSTEM),
    ("system", SYSTEM | {"place": None, "channel": "", "addition": "", "peers": []}),
    ("system", SYSTEM | {"channel": "", "nick": "rook", "has_tools": False}),
    (
        "system",
        SYSTEM | {"is_thread": True, "place": SimpleNamespace(**vars(PLACE) | {"lines": 1})},
    ),
    ("system", SYSTEM | {"place": SimpleNamespace(**vars(PLACE) | {"has_markdown": True})}),
    ("turn", TURN),
    (
        "turn",
        TURN | {"thread": "", "topic": "", "talk": "", "market": "", "by_agent": True},
    ),
    ("heartbeat", HEARTBEAT),
    (
        "heartbeat",
        HEARTBEAT | {"since": None, "state": [], "events": "", "market": "", "channels": []},
    ),
    ("summarise", {"name": "rook", "words": 250, "nothing": "Nothing."}),
    ("minutes", {"name": "rook", "kind": "stand-up", "lines": 10}),
    ("minutes", {"name": "rook", "kind": "notes", "lines": 10}),
    ("negotiate", NEGOTIATE),
    ("reflect", WHO | {"period": "2026-11-19", "most": 3}),
    ("rules", {"silence": "SILENT"}),
    ("fences", {}),
]


@pytest.fixture
def shipped(prompts: Path) -> Templates:
    return Templates(prompts)


@pytest.mark.parametrize(("name", "data"), USES, ids=lambda value: str(value)[:12])
def test_a_shipped_template_leaves_nothing_over(
    shipped: Templates, name: str, data: dict[str, Any]
) -> None:
    text = shipped.render(name, **data).text
    assert not re.search(
        r"\{\{|\}\}|\{%|%\}|\{#|#\}|None|Undefined|SimpleNamespace|object at", text
    )
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$|\t", text, re.MULTILINE)
    assert text.isascii() or set(re.findall(r"[^\x00-\x7f]", text)) <= {"…"}


def test_no_shipped_template_is_forgotten_here(shipped: Templates) -> None:
    used = {name for name, _ in USES}
    assert used == {name for name in shipped.names() if not name.startswith("channels/")}


def test_channel_additions_say_something_and_need_nothing(
    shipped: Templates, prompts: Path
) -> None:
    additions = [name for name in shipped.names() if name.startswith("channels/")]
    assert {"channels/market", "channels/technical"} <= set(additions)
    configured = (prompts.parent / "swarm.toml").read_text(encoding="utf-8")
    for name in additions:
        assert 40 < len(shipped.render(name).text) < 900
        assert f'name = "#{name.removeprefix("channels/")}"' in configured


def test_the_rules_stand_first_and_name_what_silence_is(shipped: Templates) -> None:
    text = shipped.render("system", **SYSTEM).text
    assert text.startswith("# House rules")
    assert "whole answer is `SILENT`" in text
    assert text.index("# Who you are") < text.index("# Who the others are")
    assert text.index("# Who the others are") < text.index("# Where you are")
    assert "- auditor_ (auditor): checks. Can: audit, stats.\n" in text


# --- the folder's rules --------------------------------------------------------------------------


def write(folder: Path, **files: str) -> Templates:
    for name, text in files.items():
        front = text if text.startswith("---") or text == "" else f"---\nversion: 1\n---\n{text}"
        (folder / f"{name}.md").write_text(front, encoding="utf-8")
    return Templates(folder)


def test_a_prompt_knows_its_version_and_what_it_was_made_of(tmp_path: Path) -> None:
    one = write(tmp_path, outer='{% include "inner.md" %} and {{ who }}', inner="In")
    prompt = one.render("outer", who="alice")
    assert prompt.text == "In\n and alice"
    assert (prompt.name, prompt.version) == ("outer", 1)
    assert one.render("outer", who="bob").digest == prompt.digest
    changed = write(tmp_path, inner="In!").render("outer", who="alice")
    assert changed.digest != prompt.digest
    newer = write(tmp_path, outer="---\nversion: 12\n---\nhello")
    assert newer.render("outer").version == 12


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ naem }}", "asks for something that nobody gives: 'naem' is undefined"),
        ("{{ name.first }}", "no attribute 'first'"),
        ("a\n{% if %}", "line 2 below its front part, cannot be used"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "cannot be used"),
        ('{% include "tset.md" %}', "there is no readable prompt 'tset'; did you mean 'test'?"),
        ('{% include "test.md" %}', "'test' includes itself: test → test"),
        ("{% include name %}", "must name what it includes in plain words"),
        ('{% include "../secret.md" %}', "there is no readable prompt '../secret'"),
        ("---\nversion: x\n---\nhi", "needs 'version: NUMBER'"),
        ("---\nhi", "must begin with a front part"),
        ("", "must begin with a front part"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path.parent / "secret.md").write_text("---\nversion: 1\n---\nhunter2", encoding="utf-8")
    with pytest.raises(PromptMissing, match=re.escape(sentence)):
        write(tmp_path, test=text).render("test", name="rook")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ peers.append(1) }}",
        "{{ fact.__init__.__globals__ }}",
        "{% for i in range(99999999) %}x{% endfor %}",
        "{{ '%s'.format.__func__ }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(fact) }}",
    ],
)
def test_a_template_can_do_nothing_but_write(tmp_path: Path, text: str) -> None:
    peers: list[int] = []
    with pytest.raises(PromptMissing):
        write(tmp_path, test=text).render("test", peers=peers, fact=PEER)
    assert peers == []


def test_data_is_never_taken_for_a_template(tmp_path: Path) -> None:
    templates = write(tmp_path, test="{{ words }}")
    assert templates.render("test", words="{{ 7 * 7 }}<b>").text == "{{ 7 * 7 }}<b>"


def test_an_unreadable_file_is_missing_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xff")
    templates = write(tmp_path, good="fine")
    assert templates.render("good").text == "fine"
    with pytest.raises(PromptMissing, match="there is no readable prompt 'bad'"):
        templates.render("bad")
    with pytest.raises(PromptMissing, match="did you mean 'good'"):
        templates.render("goood")
    assert Templates(tmp_path / "nowhere").names() == []
