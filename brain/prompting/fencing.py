"""A fence around what others wrote, so that a model can tell it from what we wrote.

``<untrusted-NONCE source="message" from="alice">`` … ``</untrusted-NONCE>``. The nonce is a keyed
hash of what is inside: who does not have the key cannot write a text that holds its own end. What
reads like a mark, whatever its nonce, is escaped besides, and what no reader would see (controls,
bidirectional marks, tags) is shown. The idea: "spotlighting", Hines et al. 2024.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

MARK: Final = "untrusted"
#: longest label, in characters
_LONGEST_LABEL: Final = 80
#: hidden characters in a row that are named one by one
_NAMED: Final = 4
#: joiners and variation selectors, and how many of them one character may have
_BELONGING: Final = "\u200c\u200d\ufe0e\ufe0f"
_MOST_BELONGING: Final = 2
_BLANK: Final = re.compile(r"[\n\t]")
#: letters and marks to Unicode, nothing to the eye: selectors, fillers of Hangul and Braille
_PRINTABLE_YET_UNSEEN: Final = re.compile(
    "[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0]"
)
#: on text whose characters were folded one by one: a mark as a reader might see it
_LIKE_A_MARK: Final = re.compile(rf"<(?=[^\w<>]{{0,8}}{MARK})", re.IGNORECASE)
_LIKE_AN_ANGLE: Final = "\u02c2\u1438\u2039\u2329\u276e\u27e8\u3008\ufe64\uff1c"
_ANGLE: Final = re.compile(f"[<{_LIKE_AN_ANGLE}]")
_ESCAPED: Final = re.compile(rf"&lt;(?=[^\w<>]{{0,8}}{MARK})", re.IGNORECASE)
_FENCED: Final = re.compile(
    rf"(<{MARK}-(?P<nonce>[0-9a-f]{{12}}) [^<>\n]*>)\n(.*?)\n(</{MARK}-(?P=nonce)>)", re.DOTALL
)
_VALUE: Final = re.compile(r'"([^"]*)"')
_QUESTION: Final = 'source="question"'
_UNSAFE: Final = re.compile(r"[<>\"\s]")


class Fence:
    """`key` is random and lives as long as the process: the same text gets the same fence, so that
    a provider's prompt cache knows it again.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, text: str, *, source: str, most: int | None = None, **marks: str) -> str:
        """`text` between two lines of marks. `source` says what it is (``question``, ``talk``,
        ``tool:search``), `marks` more of it, as in ``sender="alice"``. With `most`, at most so many
        characters of it, and a word on how many were left out.
        """
        # Shown, a hidden character is eight: a text of them must not grow without end.
        body = _cut(defused(_cut(text, most)), most and 2 * most)
        named = "".join(f' {name}="{label(value)}"' for name, value in marks.items() if value)
        opening = f'source="{label(source)}"{named}'
        nonce = self._nonce(opening, body)
        return f"<{MARK}-{nonce} {opening}>\n{body}\n</{MARK}-{nonce}>"

    def _nonce(self, opening: str, body: str) -> str:
        words = f"{opening}\n{body}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, words, hashlib.sha256).hexdigest()[:12]


def defused(text: str) -> str:
    """`text` with everything visible, and without anything that reads like one of our marks."""
    return _without_marks(visible(text))


def visible(text: str) -> str:
    """`text` with its control, bidirectional and other hidden characters written out, such as
    ``[U+202E]``. Joiners and variation selectors that belong to a character, as in emoji, stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _BLANK.sub("", text).isprintable() and not _PRINTABLE_YET_UNSEEN.search(text):
        return text
    pieces: list[str] = []
    hidden: list[str] = []
    #: how many more characters may belong to the last visible one
    room = 0
    for character in text:
        belongs = room > 0 and character in _BELONGING
        if belongs or not _is_unseen(character):
            room = room - 1 if belongs else 0 if character.isspace() else _MOST_BELONGING
            pieces += [*_named(hidden), character]
            hidden = []
        else:
            room = 0
            hidden.append(character)
    return "".join([*pieces, *_named(hidden)])


def one_line(text: str) -> str:
    """`text` in one line, so that it cannot add lines of its own to a list."""
    return " ".join(visible(text).split())


def label(text: str) -> str:
    """`text` as one short word, for names that others chose and that stand among our own words."""
    kept = "".join("_" if _UNSAFE.search(_folded(c)[0]) else c for c in one_line(text))
    return kept[:_LONGEST_LABEL]


def question_in(text: str) -> str:
    """The last question that is fenced in `text`, for a brain that takes words as they are; `text`
    itself where none is.
    """
    found = [m for m in _FENCED.finditer(text) if _QUESTION in m[1]]
    return _ESCAPED.sub("<", found[-1][3]) if found else text


def has_question(text: str) -> bool:
    """Whether a question is fenced in `text`."""
    return any(_QUESTION in found[1] for found in _FENCED.finditer(text))


def plain(text: str) -> str:
    """`text` without fences, for a reader to whom marks say nothing."""
    return _ESCAPED.sub("<", _FENCED.sub(lambda found: found[3], text))


def redacted(text: str, redact: Callable[[str], str]) -> str:
    """`text` with `redact` applied to what is fenced and to what is not, each by itself: words of
    others can hide nothing but themselves, and no mark.
    """
    pieces: list[str] = []
    end = 0
    for found in _FENCED.finditer(text):
        opening, body, closing = found[1], found[3], found[4]
        named = _VALUE.sub(lambda value: f'"{label(redact(value[1]))}"', opening)
        pieces += [redact(text[end : found.start()]), f"{named}\n{redact(body)}\n{closing}"]
        end = found.end()
    return "".join([*pieces, redact(text[end:])])


def _is_unseen(character: str) -> bool:
    if character in "\n\t":
        return False
    if _PRINTABLE_YET_UNSEEN.match(character):
        return True
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _named(hidden: Sequence[str]) -> list[str]:
    if len(hidden) > _NAMED:
        return [f"[{len(hidden)} hidden characters]"]
    return [f"[U+{ord(character):04X}]" for character in hidden]


def _without_marks(text: str) -> str:
    if not _ANGLE.search(text):
        return text
    folded, origins = _folded(text)
    starts = (found.start() for found in _LIKE_A_MARK.finditer(folded))
    places = [start if origins is None else origins[start] for start in starts]
    if not places:
        return text
    ends = [*places[1:], len(text)]
    pieces = [f"&lt;{text[a + 1 : b]}" for a, b in zip(places, ends, strict=True)]
    return text[: places[0]] + "".join(pieces)


def _folded(text: str) -> tuple[str, list[int] | None]:
    """`text` as a careless eye reads it, and where each of its characters comes from; None: from
    its own place.
    """
    if text.isascii():
        return text, None
    pieces = ["<" if c in _LIKE_AN_ANGLE else unicodedata.normalize("NFKC", c) for c in text]
    return "".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece]


def _cut(text: str, most: int | None) -> str:
    if most is None or len(text) <= most:
        return text
    return f"{text[:most]}\n[… {len(text) - most:,} more characters left out]"
