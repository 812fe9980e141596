"""Extractive summaries of a channel, pure and without a model: real lines, by whom and when,
nothing invented.

Lines are sorted into conversations first, for in a busy channel the single most central line
says little. Conversations are ranked by how many people took part, how much was said and how
telling the words are (TF-IDF); a choice by maximal marginal relevance (Carbonell & Goldstein
1998) keeps five times the same subject out. Of each one are shown the line that opens it best
and the answer nearest to its centre.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from brain.conversations import Conversation, Line, addressee, disentangle, is_question
from brain.topics import topics
from brain.words import stems, words

#: weight of rank against novelty when conversations are chosen
RANK_WEIGHT = 0.75

_SOLVED = re.compile(
    r"\b(?:that|it|this|which)\s*(?:'s|s| is| has|all)?\s*(?:did (?:it|the trick)|worked|"
    r"works(?: now| fine| great|!|$)|fixed|solved)|\b(?:fixed|solved|works) (?:it|now)|"
    r"\bworking (?:now|again|fine)|\bgot it (?:to work|working)|\bproblem solved\b|"
    r"\bback (?:up|on air)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"n't|\bnot\b|\bnever\b|\bif\b|\?|\bnt\b|\bused to\b|\bhope\b", re.IGNORECASE)
_ROBOT = re.compile(r"^u?bot|bot\d*[_`^|]*$", re.IGNORECASE)
_COMMAND = re.compile(r"^[!.&]\w")


@dataclass(frozen=True, kw_only=True)
class Highlight:
    """One conversation in at most two lines."""

    opening: Line
    reply: Line | None
    people: tuple[str, ...]
    #: how many lines the conversation had
    lines: int
    #: its opener said afterwards that it worked
    solved: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    lines: int
    first_at: datetime
    last_at: datetime
    #: who spoke, and how many lines; most talkative first
    people: tuple[tuple[str, int], ...]
    topics: tuple[str, ...]
    #: in the order in which they were said
    highlights: tuple[Highlight, ...]


def summarise(lines: Sequence[Line], highlights: int = 5) -> Summary | None:
    """What was said in `lines` (oldest first), at most `highlights` conversations; None for no
    lines.
    """
    if not lines:
        return None
    weights = _Weights(lines)
    conversations = disentangle(lines)
    chosen = _choose(conversations, lines, weights, highlights)
    found = [_highlight(conversation, lines, weights) for conversation in chosen]
    return Summary(
        lines=len(lines),
        first_at=lines[0].at,
        last_at=lines[-1].at,
        people=tuple(Counter(line.nick for line in lines).most_common()),
        topics=topics(lines, weights.nicks, 6),
        highlights=tuple(sorted(found, key=lambda h: (h.opening.at, h.opening.id))),
    )


class _Weights:
    """TF-IDF over the lines of one summary; nicks count as no word."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.nicks = {line.nick.lower(): line.nick for line in lines}
        bags = [set(stems(line.text)) - self.nicks.keys() for line in lines]
        counts = Counter(stem for bag in bags for stem in bag)
        self.idf = {stem: math.log(1 + len(lines) / count) for stem, count in counts.items()}
        self.bags = bags
        #: a word that only one line has tells nothing about what others talk about
        self.shared = {stem for stem, count in counts.items() if count > 1}

    def centre(self, indices: Iterable[int]) -> Counter[str]:
        """How much each word matters in these lines."""
        tf = Counter(stem for i in indices for stem in self.bags[i])
        return Counter({s: (1 + math.log(n)) * self.idf[s] for s, n in tf.items()})

    def nearness(self, index: int, centre: Counter[str]) -> float:
        """How much of the centre a line holds, with long lines held down."""
        bag = self.bags[index]
        return sum(centre[s] for s in bag) / math.pow(4 + len(bag), 0.6)


def _choose(
    conversations: Sequence[Conversation], lines: Sequence[Line], weights: _Weights, most: int
) -> list[Conversation]:
    usable = [c for c in conversations if any(_showable(lines[i]) for i in c.lines)]
    ranks = {id(c): _rank(c, lines, weights) for c in usable}
    best = max(ranks.values(), default=1.0) or 1.0
    # Only the front runners are compared with each other: quadratic in few, not in all.
    pool = sorted(usable, key=lambda c: -ranks[id(c)])[: most * 6]
    centres = {id(c): weights.centre(c.lines) for c in pool}
    chosen: list[Conversation] = []
    while pool and len(chosen) < most:
        pick = max(
            pool,
            key=lambda c: (
                RANK_WEIGHT * ranks[id(c)] / best
                - (1 - RANK_WEIGHT)
                * max((_likeness(centres[id(c)], centres[id(o)]) for o in chosen), default=0.0)
            ),
        )
        pool.remove(pick)
        chosen.append(pick)
    return chosen


def _rank(conversation: Conversation, lines: Sequence[Line], weights: _Weights) -> float:
    showable = [i for i in conversation.lines if _showable(lines[i])]
    people = {lines[i].nick for i in showable}
    centre = weights.centre(showable)
    subject = sum(weight for _, weight in centre.most_common(8)) / 8
    asked = any(is_question(lines[i].text) for i in showable[:4])
    alone = 0.3 if len(people) < 2 else 1.0
    company = 1 + 0.35 * min(len(people) - 1, 4)
    return math.log(1 + len(showable)) * subject * company * alone * (1.2 if asked else 1.0)


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    small, large = sorted((one, other), key=len)
    dot = sum(weight * large[stem] for stem, weight in small.items())
    norms = math.sqrt(_square(one) * _square(other))
    return dot / norms if norms else 0.0


def _square(centre: Counter[str]) -> float:
    return sum(w * w for w in centre.values())


def _highlight(conversation: Conversation, lines: Sequence[Line], weights: _Weights) -> Highlight:
    showable = [i for i in conversation.lines if _showable(lines[i])]
    opening = _opening(showable, lines, weights, weights.centre(showable))
    reply = _reply(opening, showable, lines, weights)
    return Highlight(
        opening=lines[opening],
        reply=None if reply is None else lines[reply],
        people=tuple(dict.fromkeys(lines[i].nick for i in conversation.lines)),
        lines=len(conversation.lines),
        solved=_is_solved(opening, conversation.lines, lines),
    )


def _opening(
    showable: Sequence[int], lines: Sequence[Line], weights: _Weights, centre: Counter[str]
) -> int:
    def worth(place: int, index: int) -> float:
        text = lines[index].text
        # Who opens with a complaint wants something too, also without a question mark.
        asks = 1.6 if place == 0 or is_question(text) else 1.0
        names_nobody = 1.25 if addressee(text, weights.nicks) is None else 1.0
        early = 1 / (1 + place / 6)
        return weights.nearness(index, centre) * asks * names_nobody * early * _plainness(text)

    return max(enumerate(showable), key=lambda pair: worth(*pair))[1]


def _reply(
    opening: int, showable: Sequence[int], lines: Sequence[Line], weights: _Weights
) -> int | None:
    """The line of somebody else that is nearest to what the opener said and was told."""
    asker = lines[opening].nick.lower()
    told = {i: addressee(lines[i].text, weights.nicks) for i in showable if i >= opening}
    core = [i for i, to in told.items() if asker in (lines[i].nick.lower(), to)]
    centre = weights.centre([opening, *core])

    def worth(index: int) -> float:
        text = lines[index].text
        to = told[index]
        meant = 2.0 if to == asker else 0.3 if to else 1.0
        asks_back = 0.35 if is_question(text) else 1.0
        late = 1 / (1 + (lines[index].at - lines[opening].at).total_seconds() / 1800)
        return weights.nearness(index, centre) * meant * asks_back * late * _plainness(text)

    later = [i for i in told if i > opening and lines[i].nick.lower() != asker and weights.bags[i]]
    return max(later, key=worth, default=None)


def _is_solved(opening: int, indices: Sequence[int], lines: Sequence[Line]) -> bool:
    asker = lines[opening].nick
    later = [lines[i] for i in indices if i > opening]
    answered = next((n for n, line in enumerate(later) if line.nick != asker), len(later))
    return any(
        line.nick == asker and _SOLVED.search(line.text) and not _DENIED.search(line.text)
        for line in later[answered:]
    )


def _plainness(text: str) -> float:
    """Lines of a sentence or two read best; fragments, pastes and shouting read worst."""
    count = len(words(text))
    length = 0.4 if count < 4 else 0.8 if count < 7 else 1.0 if count <= 45 else 0.6
    letters = sum(c.isalpha() or c.isspace() for c in text) / max(1, len(text))
    shouting = 0.7 if text.isupper() and count > 3 else 1.0
    return length * shouting * (1.0 if letters > 0.75 else 0.6)


def _showable(line: Line) -> bool:
    """Commands to robots and the robots' answers are left out."""
    return not (_COMMAND.match(line.text) or _ROBOT.search(line.nick))
