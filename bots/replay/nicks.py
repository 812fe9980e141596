"""Nicks of a log as the server takes them: pure, and two people never become one."""

from __future__ import annotations

import re

from bots.irc.casemapping import fold

#: what RFC 2812 section 2.3.1 allows in a nick, and at its beginning
_FOREIGN = re.compile(r"[^A-Za-z0-9\[\]\\`_^{|}-]")
_FIRST = re.compile(r"[A-Za-z\[\]\\`_^{|}]")
_FANCY = re.compile(r"[^A-Za-z0-9_]")
#: RFC 2812 section 1.2.1; a server that takes more says so (NICKLEN)
SHORTEST_NICKLEN = 9


class Nicks:
    """Gives every nick of the log one on the server, the same each time.

    `limit` is the server's NICKLEN, which may be corrected once it is known; `taken` are nicks
    that others hold, such as the agents'.
    """

    def __init__(self, limit: int, taken: frozenset[str] = frozenset()) -> None:
        self.limit = limit
        self._used = {fold(nick) for nick in taken}
        self._given: dict[str, str] = {}

    def of(self, nick: str) -> str:
        """The nick to use on the server for `nick` of the log; IRC does not tell case apart."""
        key = fold(nick)
        if key not in self._given:
            self._given[key] = self._free(self._legal(nick))
        return self._given[key]

    def refuse(self, nick: str, *, malformed: bool) -> str:
        """Another nick for `nick` of the log, after the server refused the one given.

        A malformed one loses what is not a plain letter or digit, and when that was not it, its
        end: some servers allow less than the RFC.
        """
        last = self._given.pop(fold(nick), self._legal(nick))
        if malformed:
            plain = _FANCY.sub("_", last)
            last = plain if plain != last else last[: max(SHORTEST_NICKLEN, len(last) // 2)]
        self._given[fold(nick)] = self._free(last)
        return self._given[fold(nick)]

    def _legal(self, nick: str) -> str:
        legal = _FOREIGN.sub("_", nick.replace(" ", "")) or "_"
        return (legal if _FIRST.match(legal) else f"_{legal}")[: self.limit]

    def _free(self, nick: str) -> str:
        free, count = nick, 0
        while fold(free) in self._used:
            count += 1
            tail = "_" * count if count < 3 else str(count)
            free = nick[: self.limit - len(tail)] + tail
        self._used.add(fold(free))
        return free
