"""The words a channel talked about, pure: said by many people, but not by everybody."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Container, Sequence

from brain.conversations import Line
from brain.words import STOP_WORDS, stem, words

#: what every help channel says all day; good to search for, poor as a subject
_DULL = frozenset(
    stem(word)
    for word in """
        install installed run running file files system version issue error command line
        user users set setup change changed open way list package packages update
        upgrade release machine computer box settings default option options sudo apt
        apt-get add message channel link page site
    """.split()  # noqa: SIM905 (words, not quotation marks)
)


def topics(lines: Sequence[Line], nicks: Container[str], most: int) -> tuple[str, ...]:
    """At most `most` topics, best first: single words, or pairs that belong together (``nvidia
    driver``).
    """
    people: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    spellings: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for line in lines:
        for stemmed, spelled in _terms(line.text, nicks):
            people[stemmed].add(line.nick)
            spellings[stemmed][spelled] += 1
    everybody = len({line.nick for line in lines})
    least = 2 if everybody > 3 else 1
    worth = {
        term: _worth(len(who), everybody, pair=len(term) == 2)
        for term, who in people.items()
        if len(who) >= least and spellings[term].total() > 1
    }
    chosen: list[tuple[str, ...]] = []
    for term in sorted(worth, key=lambda t: (-worth[t], t)):
        if len(chosen) == most:
            break
        # A word and a pair that holds it would say the same thing twice.
        if not any(set(term) & set(other) for other in chosen):
            chosen.append(term)
    return tuple(spellings[term].most_common(1)[0][0] for term in chosen)


def _worth(people: int, everybody: int, *, pair: bool) -> float:
    """Said by many, but not by everybody, as inverse document frequency has it with people as
    documents.
    """
    rarity = math.log(1.5 + everybody / people)
    return float(people**0.7) * rarity * (1.8 if pair else 1.0)


def _dull(*pair: str) -> bool:
    return all(stem(word) in _DULL for word in pair)


def _terms(text: str, nicks: Container[str]) -> list[tuple[tuple[str, ...], str]]:
    """Single words and pairs of neighbours, each as stems and as spelled."""
    found: list[tuple[tuple[str, ...], str]] = []
    before: str | None = None
    for word in words(text):
        if word in STOP_WORDS or word in nicks or len(word) < 3 or word.isdigit():
            before = None
            continue
        if stem(word) not in _DULL:
            found.append(((stem(word),), word))
        if before is not None and stem(before) != stem(word) and not _dull(before, word):
            found.append(((stem(before), stem(word)), f"{before} {word}"))
        before = word
    return found
