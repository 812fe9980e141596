"""A person's question made plain, pure: address and politeness off, channel and time taken out,
typos mended.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from brain.offline import when
from brain.offline.when import When
from brain.words import STOP_WORDS

_CHANNEL = re.compile(
    r"(?:\b(?:over\s+)?(?:in|on|from|of|at|for|to)\s+)?(?P<name>(?<!\w)[#&][^\s,?!:;]*[^\s,?!:;.])",
    re.IGNORECASE,
)
_NAMED_CHANNEL = re.compile(
    r"\b(?:in|on|from|of)\s+(?:the\s+)?(?P<name>[\w-]+)\s+channel\b", re.IGNORECASE
)
_HERE = re.compile(
    r"\b(?:in|on|of)?\s*(?:this|the)\s+channel\b|\b(?:in|over)\s+here\b", re.IGNORECASE
)
_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|yo|ok|okay|so|well|please|pls|plz|um+|uh+|oh|sorry|excuse\s+me|quick\s+question)\b[\s,.!:]+"
    r"|(?:can|could|would|will|may)\s+(?:you|u|i|we)\s+(?:please\s+|pls\s+|kindly\s+|maybe\s+)?"
    r"(?:tell|show|give|let|remind)\s+(?:me|us)(?:\s+know)?\s+(?!about\s+yourself)"
    r"|(?:can|could|would|will)\s+(?:you|u)\s+(?:please|pls|kindly|maybe)?\s*(?=summ|search|find|look|list|recap|catch|check|help\s+me\s+find)"
    r"|(?:tell|show|give|remind)\s+(?:me|us)\s+(?!about\s+yourself)"
    r"|(?:do|does|did)\s+(?:you|u)\s+(?:happen\s+to\s+)?(?:know|remember|recall)\s+(?:if\s+|whether\s+)?(?!about\b)"
    r"|(?:i'?d|i\s+would|i)\s+(?:like|love|want|need|wanna)\s+(?:to\s+)?(?:know|see|find\s+out|hear|have|get)?\s*"
    r"|i\s+(?:wonder|was\s+wondering|am\s+wondering)\s+(?:if\s+|whether\s+)?"
    r"|(?:any|got\s+an?)\s+(?:idea|clue)\s+|check\s+(?:if|whether)\s+|help\s+me\s+find\s+)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?<![\s,])[\s,]*\b(?:please|pls|plz|thanks|thank\s+you|thx|mate|buddy|again)\s*[?.!]*$",
    re.IGNORECASE,
)

#: words that carry an intent, and are worth mending when mistyped
_KEYWORDS = (
    "summarise", "summarize", "summary", "mentioned", "mention", "yesterday", "happened", "status",
    "agents", "search", "talking", "talked", "anyone", "anybody", "something", "anything",
    "channel", "minutes", "discussed", "statistics",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Phrase:
    #: what is left of the question, spelled as it was, without closing marks
    text: str
    #: channel named in it
    channel: str | None
    when: When
    #: it ended with a question mark
    asks: bool

    @property
    def scope(self) -> dict[str, float | str]:
        """Channel and time, as arguments of a tool."""
        return ({"channel": self.channel} if self.channel else {}) | self.when.arguments


def read(text: str, names: Iterable[str], now: datetime) -> Phrase:
    """The plain form of `text`; `names` are those by which the agent may be addressed."""
    plain = re.sub(r"\s+", " ", _unquoted(text)).strip()
    plain = _unaddressed(plain, names)
    asks = plain.rstrip(" !.").endswith("?")
    plain = (_TAIL.sub("", plain) or plain).strip(" ?!.,")
    plain = _unhurried(plain)
    plain = " ".join(_mended(word) for word in plain.split(" "))
    channel, plain = _channel(plain)
    time, plain = when.read(plain, now)
    return Phrase(text=plain.strip(" ?!.,:;"), channel=channel, when=time, asks=asks)


def _unquoted(text: str) -> str:
    """Without lines behind ``>``: what somebody else said asks nothing; a text of nothing else
    stays.
    """
    own = [line for line in text.splitlines() if not line.lstrip().startswith(">")]
    return "\n".join(own) if "".join(own).strip() else text


def subject(text: str) -> str:
    """The words of `text` worth searching for; all of them when each one is a common word."""
    text = text.strip(" \"'“”‘’?!.,:;")  # noqa: RUF001
    kept = [
        w.strip(",;") for w in text.split() if re.sub(r"[^\w]", "", w.lower()) not in STOP_WORDS
    ]
    return " ".join(kept) or text


def _unaddressed(text: str, names: Iterable[str]) -> str:
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if not known:
        return text
    lead = re.compile(
        rf"^(?:(?:hey|hi|hello|yo|ok|dear)\s+)?@?(?:{known})(?:\s*[:,;>-]+\s*|\s+|$)", re.IGNORECASE
    )
    tail = re.compile(rf"[\s,]+@?(?:{known})\s*(?P<mark>[?.!]*)$", re.IGNORECASE)
    greeting = re.match(r"(hey|hi|hello|yo)\b", text, re.IGNORECASE)
    bare = tail.sub(r"\g<mark>", lead.sub("", text)).strip()
    return bare or (greeting[1] if greeting else "hello")


def _unhurried(text: str) -> str:
    """Without the words of politeness in front; a text of nothing else stays."""
    while True:
        shorter = _POLITE.sub("", text, count=1).strip()
        if shorter in (text, ""):
            return text
        text = shorter


def _channel(text: str) -> tuple[str | None, str]:
    for pattern in (_CHANNEL, _NAMED_CHANNEL):
        found = pattern.search(text)
        if found is not None and found["name"].lower() not in ("this", "the"):
            name = found["name"] if found["name"][0] in "#&" else f"#{found['name']}"
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            return name.lower(), re.sub(r"\s+", " ", rest).strip()
    return None, re.sub(r"\s+", " ", _HERE.sub(" ", text)).strip()


def _mended(word: str) -> str:
    if len(word) < 6 or word.lower() in _KEYWORDS or word.startswith("#"):
        return word
    near = difflib.get_close_matches(word.lower(), _KEYWORDS, 1, 0.86)
    return near[0] if near else word
