"""Pure: the longest common subsequence of two sequences."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

#: equal pairs that are weighed; beyond it the match is greedy
MAX_PAIRS: Final = 100_000


def longest_common_subsequence(
    a: Sequence[Hashable], b: Sequence[Hashable], *, max_pairs: int = MAX_PAIRS
) -> list[tuple[int, int]]:
    """Positions of a longest common subsequence of `a` and `b`.

    Equal ends are taken off first, so the ordinary case is linear. The middle is solved as a
    longest increasing run of equal pairs (Hunt and Szymanski, 1977), in O(pairs · log n); with more
    than `max_pairs` of them each line takes the next equal one, which may find fewer.
    """
    start, shorter = 0, min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = _middle(a, b, range(start, len(a) - end), range(start, len(b) - end), max_pairs)
    tail = [(len(a) - k, len(b) - k) for k in range(end, 0, -1)]
    return [*((k, k) for k in range(start)), *middle, *tail]


def _middle(
    a: Sequence[Hashable], b: Sequence[Hashable], in_a: range, in_b: range, max_pairs: int
) -> list[tuple[int, int]]:
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j in in_b:
        places[b[j]].append(j)
    if sum(len(places.get(a[i], ())) for i in in_a) > max_pairs:
        return _greedy(a, in_a, places)
    # From the end, so that of equally long ones the one wins that takes the latest of `b` for the
    # earliest of `a`: who came later heard the end of what is stored first.
    ends: list[int] = []
    links: list[_Link] = []
    for i in reversed(in_a):
        for j in places.get(a[i], ()):
            k = bisect_left(ends, -j)
            link = _Link(i, j, links[k - 1] if k else None)
            if k == len(ends):
                ends.append(-j)
                links.append(link)
            else:
                ends[k], links[k] = -j, link
    return _walk(links[-1] if links else None)


@dataclass(slots=True)
class _Link:
    i: int
    j: int
    after: _Link | None


def _walk(link: _Link | None) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    while link is not None:
        pairs.append((link.i, link.j))
        link = link.after
    return pairs


def _greedy(
    a: Sequence[Hashable], in_a: range, places: dict[Hashable, list[int]]
) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    last = -1
    for i in in_a:
        options = places.get(a[i], [])
        k = bisect_right(options, last)
        if k < len(options):
            last = options[k]
            pairs.append((i, last))
    return pairs
