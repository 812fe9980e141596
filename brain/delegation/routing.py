"""Who should do this, pure: every candidate's score with the reasons for it, best first.

A score is the sum of five judgements. What somebody can do counts most: a fast and cheap agent that
cannot do it is no help. How reliable it is stands on what became of its work so far; an agent of
which little is known gets the benefit of the doubt, so that a newcomer has its chance.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from brain.words import stem, telling, words

#: what each judgement is worth at most
_CAN: Final = 4.0
_LEARNED: Final = 1.0
_RELIABLE: Final = 1.5
_HERE: Final = 0.5
_LOAD: Final = 0.25
_COST: Final = 0.5
#: letters that two words must share at their beginning to mean the same: “summarise”, “summary”
_STEM: Final = 5
_CHANNEL: Final = re.compile(r"[#&][^\s,;.!?]+")
_NUSD_OF_A_CENT: Final = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Candidate:
    name: str
    #: as swarm.toml says, such as ``summarise`` or ``sell:chat-logs``
    capabilities: tuple[str, ...]
    role: str = ""
    #: soul's one-line description
    description: str = ""
    #: channels that it sits in
    channels: Collection[str] = ()
    #: why it cannot work now; empty when it can
    down: str = ""
    #: delegations that wait for it or are at work
    waiting: int = 0
    done: int = 0
    failed: int = 0
    #: of one delegation, in billionths of a US dollar
    mean_cost_nusd: int = 0
    #: part of its budget that is left, 0 to 1; None: it needs none
    budget_left: float | None = None
    #: word → how often it stood in what the agent has done
    learned: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    agent: str
    score: float
    #: one judgement each, in words
    reasons: tuple[str, ...]
    down: str = ""

    def __str__(self) -> str:
        return f"{self.agent} {self.score:.2f}: {'; '.join(self.reasons)}"


def rank(instruction: str, candidates: Iterable[Candidate]) -> list[Ranked]:
    """Best first; those that are down stand behind all others. The same facts give the same order,
    whatever order the candidates come in.
    """
    everybody = list(candidates)
    wanted = words_of(instruction)
    channels = {name.lower() for name in _CHANNEL.findall(instruction)}
    attempts = sum(c.done + c.failed for c in everybody)
    ranked = [_judged(c, wanted, channels, attempts) for c in everybody]
    return sorted(ranked, key=lambda r: (bool(r.down), -r.score, r.agent))


def words_of(text: str) -> tuple[str, ...]:
    """The telling words of a text, without repeats and without the names of channels."""
    return tuple(dict.fromkeys(telling(_CHANNEL.sub(" ", text))))


def _judged(
    candidate: Candidate, wanted: Sequence[str], channels: Collection[str], attempts: int
) -> Ranked:
    judgements = [
        _can(candidate, wanted),
        _has_learned(candidate, wanted),
        _is_reliable(candidate, attempts),
        _sits_there(candidate, channels),
        _is_busy(candidate),
        _costs(candidate),
    ]
    reasons = tuple(reason for _, reason in judgements if reason)
    if candidate.down:
        reasons = (candidate.down, *reasons)
    score = sum(points for points, _ in judgements)
    return Ranked(agent=candidate.name, score=round(score, 4), reasons=reasons, down=candidate.down)


def _can(candidate: Candidate, wanted: Sequence[str]) -> tuple[float, str]:
    named = [c for c in candidate.capabilities if any(_alike(w, c) for w in wanted)]
    if named:
        # One capability that fits is nearly all; a second one says that it fits better.
        return _CAN * (1 - 0.25 ** len(named)), f"can {', '.join(named)}"
    if any(_alike(w, part) for w in wanted for part in words_of(candidate.role)):
        return _CAN * 0.5, f"is the {candidate.role}"
    described = words_of(candidate.description)
    hits = [w for w in wanted if any(_alike(w, d) for d in described)]
    if hits:
        return _CAN * 0.1 * min(3, len(hits)), f"is described by {', '.join(hits[:3])}"
    return 0.0, "says nothing of being able to"


def _has_learned(candidate: Candidate, wanted: Sequence[str]) -> tuple[float, str]:
    known = [w for w in wanted if candidate.learned.get(w)]
    if not known or not wanted:
        return 0.0, ""
    return _LEARNED * len(known) / len(wanted), f"has done work about {', '.join(known[:3])}"


def _is_reliable(candidate: Candidate, attempts: int) -> tuple[float, str]:
    tried = candidate.done + candidate.failed
    mean = (candidate.done + 1) / (tried + 2)
    # The less is known of one beside the others, the more it may turn out to be (UCB1).
    doubt = math.sqrt(math.log(attempts + 1) / (tried + 1)) * 0.5
    reason = f"{candidate.done} of {tried} done" if tried else "a newcomer, who gets a chance"
    return _RELIABLE * min(1.0, mean + doubt), reason


def _sits_there(candidate: Candidate, channels: Collection[str]) -> tuple[float, str]:
    here = sorted({c.lower() for c in candidate.channels}.intersection(channels))
    return (_HERE, f"sits in {', '.join(here)}") if here else (0.0, "")


def _is_busy(candidate: Candidate) -> tuple[float, str]:
    if not candidate.waiting:
        return 0.0, ""
    return -_LOAD * candidate.waiting, f"has {candidate.waiting} waiting"


def _costs(candidate: Candidate) -> tuple[float, str]:
    points, said = 0.0, ""
    if candidate.mean_cost_nusd:
        cents = candidate.mean_cost_nusd / _NUSD_OF_A_CENT
        points -= _COST * min(1.0, cents)
        said = f"costs about {cents:.2f} ¢"
    if candidate.budget_left is not None and candidate.budget_left < 0.2:
        points -= _CAN * (1 - candidate.budget_left / 0.2)
        said = f"{said + ', ' if said else ''}{candidate.budget_left:.0%} of its budget is left"
    return points, said


def _alike(one: str, other: str) -> bool:
    """“summarise” and “summary”, “extract” and “extract:skills”: the same beginning."""
    return any(
        stem(one) == stem(part)
        or (min(len(one), len(part)) >= _STEM and one[:_STEM] == part[:_STEM])
        for part in words(other)
    )
