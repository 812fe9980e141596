"""Which intent a question has, pure: the first pattern that fits, in the order of the table, makes
the plan.

Every pattern sees the phrase without address, politeness, channel and time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brain.conversations import is_question
from brain.offline import patterns
from brain.offline.phrase import Phrase, subject
from brain.offline.plan import Look, Plan, Say
from brain.souls import Soul
from brain.words import telling

HELP = (
    "Ask me in plain words: who mentioned the mixer? · what did alice say about wine? · "
    "what happened in #lobby today? · summarise the last 2 hours · when was bob last seen? · "
    "who knows about nvidia? · who can review code? · how is the swarm? "
    "Or use !search, !summary, !seen, !stats, !agents, !status."
)
UNCLEAR = (
    "I did not understand that. I know questions such as: who mentioned the mixer? · what happened "
    "today? · when was bob last seen? Say help for all of them."
)
CANNOT = (
    "I cannot do that: I have no language model, so I do not write, translate, calculate or judge. "
    "I find what was said, summarise channels, and tell who was seen when, who knows what, "
    "and how the swarm is."
)
NOTHING = "I have no language model to work it out with; say “help” for what I can do."
WORK_OUT = "I cannot work that out myself, having no language model; what people said:"
OFFLINE = "I run on the offline brain: no language model; I search, summarise and report."

#: words that stand where a nick could, and are none
_NOBODY = frozenset(
    """
    anyone anybody someone somebody everyone everybody people they them you u we i he she
    it who what anything something everything was were is are been that this there the a
    an all folks users guys us me things online up alive dead down your my
    """.split()  # noqa: SIM905 (words, not quotation marks)
)

_Make = Callable[[re.Match[str], Phrase, Soul], Plan | None]


@dataclass(frozen=True)
class Intent:
    name: str
    #: one of them must be found in the phrase
    block: str
    #: None when the words fit but the meaning does not: the search goes on
    make: _Make


def plan(phrase: Phrase, soul: Soul) -> Plan:
    """What to do about `phrase`; there is always an answer, if only what the brain cannot do."""
    for pattern, make in _TABLE:
        found = pattern.search(phrase.text)
        made = make(found, phrase, soul) if found else None
        if made is not None:
            return made
    return _fallback(phrase)


def _fallback(phrase: Phrase) -> Plan:
    words = telling(phrase.text)
    if not words and phrase.scope:
        return Look(intent="summary", tool="summary", arguments=phrase.scope)
    if not words:
        return Say(intent="unclear", text=UNCLEAR)
    if phrase.asks or len(words) <= 4:
        query = {"query": subject(phrase.text)}
        # A bare word is a search; a question deserves to hear that nobody thinks about it here.
        lead = WORK_OUT if phrase.asks or is_question(phrase.text) else ""
        return Look(intent="unknown", tool="search", arguments=query | phrase.scope, lead=lead)
    return Say(intent="cannot", text=CANNOT)


def _say(intent: str, text: str | Callable[[Soul], str]) -> _Make:
    return lambda _found, _phrase, soul: Say(
        intent=intent, text=text if isinstance(text, str) else text(soul)
    )


def _look(intent: str, tool: str, scope: Sequence[str] = ()) -> _Make:
    """A call of `tool` with the phrase's channel and time, as far as `scope` names them."""

    def make(_found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan:
        given = {name: value for name, value in phrase.scope.items() if name in scope}
        return Look(intent=intent, tool=tool, arguments=given)

    return make


def _topic(intent: str, tool: str, argument: str) -> _Make:
    def make(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan:
        return Look(intent=intent, tool=tool, arguments={argument: subject(found["what"])})

    return make


def _mentioned(found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan | None:
    query = subject(found["what"])
    if not telling(query):
        return None
    return Look(intent="search", tool="search", arguments={"query": query} | phrase.scope)


def _said(found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan | None:
    nick = _nick(found)
    if nick is None:
        return None
    what = subject(found.groupdict().get("what") or "")
    query = {"query": what} if telling(what) else {}
    return Look(intent="said", tool="search", arguments={"nick": nick} | query | phrase.scope)


def _seen(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan | None:
    nick = _nick(found)
    return Look(intent="seen", tool="seen", arguments={"nick": nick}) if nick else None


def _around(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan:
    return Look(intent="around", tool="read_around", arguments={"message": int(found["id"])})


def _recent(found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan:
    wanted: dict[str, str | int] = {"channel": phrase.channel} if phrase.channel else {}
    if found["count"]:
        wanted["lines"] = int(found["count"])
    return Look(intent="recent", tool="recent", arguments=wanted)


def _nick(found: re.Match[str]) -> str | None:
    nick = found["nick"].lstrip("@").rstrip("?.,!:")
    nick = re.sub(r"'s$|(?<=s)'$", "", nick)
    return None if nick.lower() in _NOBODY or not nick else nick


INTENTS = (
    Intent(
        "greeting",
        patterns.GREETING,
        _say("greeting", lambda soul: f"Hello. {soul.introduction} Say “help” for what I can do."),
    ),
    Intent("thanks", patterns.THANKS, _say("thanks", "You are welcome.")),
    Intent("bye", patterns.BYE, _say("bye", "Goodbye.")),
    Intent("ping", patterns.PING, _say("ping", "I am here.")),
    Intent("help", patterns.HELP, _say("help", HELP)),
    Intent(
        "identity",
        patterns.IDENTITY,
        _say("identity", lambda soul: f"{soul.introduction} {OFFLINE}"),
    ),
    Intent("time", patterns.TIME, _look("time", "now")),
    Intent("around", patterns.AROUND, _around),
    Intent("recent", patterns.RECENT, _recent),
    Intent("stats", patterns.STATS, _look("stats", "stats", ("channel", "hours", "day"))),
    Intent("said", patterns.SAID, _said),
    Intent("search", patterns.MENTIONED, _mentioned),
    Intent("who_can", patterns.WHO_CAN, _topic("who_can", "who_can", "capability")),
    Intent("who_knows", patterns.WHO_KNOWS, _topic("who_knows", "who_knows", "topic")),
    Intent("who_can", patterns.WHO_DOES, _topic("who_can", "who_can", "capability")),
    Intent("seen", patterns.SEEN, _seen),
    Intent("status", patterns.STATUS, _look("status", "status")),
    Intent("agents", patterns.AGENTS, _look("agents", "agents")),
    Intent("seen", patterns.WHO_IS, _seen),
    Intent(
        "steer",
        patterns.STEER,
        _say(
            "steer",
            "I do not steer the swarm. An operator does, with !kill, !resume or !restart.",
        ),
    ),
    Intent("summary", patterns.SUMMARY, _look("summary", "summary", ("channel", "hours", "day"))),
    Intent("cannot", patterns.CANNOT, _say("cannot", CANNOT)),
)
_TABLE = tuple(
    (pattern, intent.make) for intent in INTENTS for pattern in patterns.read(intent.block)
)
