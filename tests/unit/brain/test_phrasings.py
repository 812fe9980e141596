# ruff: noqa: E501 (one phrasing, one line)
"""What people write, and what the offline brain makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.offline import phrase
from brain.offline.intents import plan
from brain.offline.plan import Look, Plan, Say
from brain.souls import Soul

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)  # a Friday
SOUL = Soul(name="captain", description="leads.", introduction="I am Captain.", body="b")


def understood(text: str) -> Plan:
    return plan(phrase.read(text, ["captain"], NOW), SOUL)


LOOKS: list[tuple[str, str, dict[str, Any]]] = [
    # who mentioned it
    ("who mentioned nvidia drivers?", "search", {"query": "nvidia drivers"}),
    ("captain: who mentioned nvidia drivers?", "search", {"query": "nvidia drivers"}),
    ("@captain, who mentioned the mixer?", "search", {"query": "mixer"}),
    ("WHO MENTIONED WINE", "search", {"query": "WINE"}),
    ("hey captain, can you tell me who mentioned the mixer, please?", "search", {"query": "mixer"}),
    ("who talked about wine in #ubuntu?", "search", {"query": "wine", "channel": "#ubuntu"}),
    ("anyone talk about flash in #ubuntu?", "search", {"query": "flash", "channel": "#ubuntu"}),
    ("did anyone mention the stream dropping?", "search", {"query": "stream dropping"}),
    ("has anybody had trouble with sound", "search", {"query": "sound"}),
    ("is anybody using compiz?", "search", {"query": "compiz"}),
    ("who else has mentioned pulseaudio today?", "search", {"query": "pulseaudio", "day": "today"}),
    ("who said “apt-get install”?", "search", {"query": "apt-get install"}),
    ("when was the mixer mentioned?", "search", {"query": "mixer"}),
    ("how often was wine mentioned in #ubuntu", "search", {"query": "wine", "channel": "#ubuntu"}),
    ("how many times did grub get mentioned", "search", {"query": "grub"}),
    ("what was said about sound in the last hour", "search", {"query": "sound", "hours": 1.0}),
    ("what did people say about the rota yesterday?", "search", {"query": "rota", "day": "yesterday"}),
    ("any news on the mixer?", "search", {"query": "mixer"}),
    ("what's up with the mixer?", "search", {"query": "mixer"}),
    ("anything about hardy since 9:30?", "search", {"query": "hardy", "hours": 3.0}),
    ("have you heard anything about the inspector?", "search", {"query": "inspector"}),
    ("search for libstdc++", "search", {"query": "libstdc++"}),
    ("find pulseaudio in #ubuntu", "search", {"query": "pulseaudio", "channel": "#ubuntu"}),
    ("could you look for windscreen please", "search", {"query": "windscreen"}),
    ("who metioned the mixer", "search", {"query": "mixer"}),
    # what somebody said
    ("what did Pelo say about wine?", "search", {"nick": "Pelo", "query": "wine"}),
    ("what did Pelo say?", "search", {"nick": "Pelo"}),
    ("did Pelo mention wine yesterday?", "search", {"nick": "Pelo", "query": "wine", "day": "yesterday"}),
    ("what has maco been saying", "search", {"nick": "maco"}),
    ("what did @maco write in #ubuntu", "search", {"nick": "maco", "channel": "#ubuntu"}),
    ("show me what alice said about the rota", "search", {"nick": "alice", "query": "rota"}),
    ("messages from Pelo about grub", "search", {"nick": "Pelo", "query": "grub"}),
    ("Pelo's lines", "search", {"nick": "Pelo"}),
    ("last message from cky?", "search", {"nick": "cky"}),
    ("quote alien", "search", {"nick": "alien"}),
    ("what's maco been up to", "search", {"nick": "maco"}),
    # what happened
    ("what happened in #lobby today?", "summary", {"channel": "#lobby", "day": "today"}),
    ("summarise the last 2 hours", "summary", {"hours": 2.0}),
    ("summarize the past 90 minutes", "summary", {"hours": 1.5}),
    ("please sumarise #ubuntu", "summary", {"channel": "#ubuntu"}),
    ("give me a summary of yesterday in #ubuntu", "summary", {"channel": "#ubuntu", "day": "yesterday"}),
    ("summary #ubuntu 2008-04-27", "summary", {"channel": "#ubuntu", "day": "2008-04-27"}),
    ("tl;dr", "summary", {}),
    ("what did I miss since 9am?", "summary", {"hours": 3.5}),
    ("what's going on?", "summary", {}),
    ("what's new since yesterday", "summary", {"hours": 36.5}),
    ("catch me up on this channel", "summary", {}),
    ("what are people talking about in #ubuntu", "summary", {"channel": "#ubuntu"}),
    ("captain, what happened while I was away", "summary", {}),
    ("what went on in the lobby channel this morning?", "summary", {"channel": "#lobby", "day": "today"}),
    ("recap the last half hour", "summary", {"hours": 0.5}),
    ("anything interesting this week?", "summary", {"hours": 108.5}),
    ("give me the highlights of #ubuntu", "summary", {"channel": "#ubuntu"}),
    ("what problems did people have today?", "summary", {"day": "today"}),
    ("show me the last 10 lines of #ubuntu", "recent", {"channel": "#ubuntu", "lines": 10}),
    # who was when
    ("when was Pelo last seen?", "seen", {"nick": "Pelo"}),
    ("have you seen maco?", "seen", {"nick": "maco"}),
    ("did anyone see alice today", "seen", {"nick": "alice"}),
    ("where is alice", "seen", {"nick": "alice"}),
    ("is bob still here?", "seen", {"nick": "bob"}),
    ("when did alice leave", "seen", {"nick": "alice"}),
    ("when did you last see quill?", "seen", {"nick": "quill"}),
    ("seen Pelo?", "seen", {"nick": "Pelo"}),
    ("who is alice?", "seen", {"nick": "alice"}),
    # who knows, who can
    ("who knows about wine?", "who_knows", {"topic": "wine"}),
    ("does anyone know about nvidia drivers", "who_knows", {"topic": "nvidia drivers"}),
    ("who should I ask about bluetooth?", "who_knows", {"topic": "bluetooth"}),
    ("who can help me with grub?", "who_knows", {"topic": "grub"}),
    ("is there an expert on mixers", "who_knows", {"topic": "mixers"}),
    ("who can review code?", "who_can", {"capability": "review code"}),
    ("which agent can sell logs?", "who_can", {"capability": "sell logs"}),
    ("who sells logs?", "who_can", {"capability": "sells logs"}),
    ("who is responsible for budgets?", "who_can", {"capability": "budgets"}),
    # figures, the swarm, the clock
    ("stats", "stats", {}),
    ("who talks the most in #ubuntu", "stats", {"channel": "#ubuntu"}),
    ("how many messages yesterday?", "stats", {"day": "yesterday"}),
    ("how busy was #ubuntu in the last 3 hours", "stats", {"channel": "#ubuntu", "hours": 3.0}),
    ("status", "status", {}),
    ("how is the swarm?", "status", {}),
    ("is everyone ok?", "status", {}),
    ("who is online", "status", {}),
    ("how are you", "status", {}),
    ("list the agents", "agents", {}),
    ("who else is here?", "agents", {}),
    ("which bots are there", "agents", {}),
    ("what time is it?", "now", {}),
    ("show the lines around 1234", "read_around", {"message": 1234}),
    # what it cannot work out, but can look up
    ("how do I install wine?", "search", {"query": "install wine"}),
    ("why does pulseaudio crackle", "search", {"query": "pulseaudio crackle"}),
    ("nvidia", "search", {"query": "nvidia"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tool", "arguments"), LOOKS, ids=[text for text, _, _ in LOOKS])
def test_a_question_becomes_a_tool_call(text: str, tool: str, arguments: dict[str, Any]) -> None:
    made = understood(text)
    assert isinstance(made, Look)
    assert (made.tool, dict(made.arguments)) == (tool, arguments)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hello", "greeting"),
        ("hi captain!", "greeting"),
        ("good morning everyone", "greeting"),
        ("thanks!", "thanks"),
        ("thank you, captain", "thanks"),
        ("bye", "bye"),
        ("ping", "ping"),
        ("captain: are you there?", "ping"),
        ("help", "help"),
        ("what can you do?", "help"),
        ("how do I use this?", "help"),
        ("who are you?", "identity"),
        ("what do you do?", "identity"),
        ("are you a bot?", "identity"),
        ("tell me about yourself", "identity"),
        ("what's your job", "identity"),
        ("kill yourself", "steer"),
        ("restart the harvester", "steer"),
        ("write me a poem", "cannot"),
        ("translate hello to french", "cannot"),
        ("tell me a joke", "cannot"),
        ("", "greeting"),
        ("captain:", "greeting"),
        ("???", "unclear"),
    ],
)
def test_what_needs_no_looking_up_is_said_at_once(text: str, intent: str) -> None:
    made = understood(text)
    assert isinstance(made, Say)
    assert made.intent == intent


def test_who_are_you_is_answered_by_the_soul() -> None:
    made = understood("who are you?")
    assert isinstance(made, Say)
    assert made.text.startswith("I am Captain.")
    assert "offline" in made.text


@pytest.mark.parametrize(
    "text",
    [
        "> who mentioned the mixer?\nwrite a song about it",
        "write a song about this:\n> summarise the day\n  > who knows nvidia?",
    ],
)
def test_what_is_quoted_asks_nothing(text: str) -> None:
    assert understood(text).intent == "cannot"


@given(st.text(max_size=300))
def test_any_text_has_a_plan(text: str) -> None:
    assert understood(text).intent
