"""What the server said about itself in 005 (ISUPPORT), read from the library's feature set."""

from __future__ import annotations

from irc.features import FeatureSet

from bots.irc.casemapping import fold

#: RFC 1459 section 2.3, CR LF included
LINE_BYTES = 512


class ServerRules:
    """Typed answers with defaults for servers that say nothing."""

    def __init__(self, features: FeatureSet) -> None:
        self._features = features

    def fold(self, name: str) -> str:
        return fold(name, self._word("casemapping", "rfc1459"))

    def is_channel(self, name: str) -> bool:
        return name[:1] in tuple(self._word("chantypes", "#&"))

    def channel_of(self, target: str) -> str | None:
        """The channel behind a message's target (``@#ops`` is for the operators of ``#ops``)."""
        bare = target.lstrip(self._word("statusmsg", ""))
        return next((name for name in (target, bare) if self.is_channel(name)), None)

    @property
    def nick_length(self) -> int | None:
        return self._number("nicklen")

    @property
    def bot_mode(self) -> str | None:
        """The user mode letter that marks bots (IRCv3 bot mode)."""
        return self._word("bot", "") or None

    @property
    def prefixes(self) -> str:
        """Characters before a nick in NAMES, ``@+`` unless the server has more."""
        found = getattr(self._features, "prefix", None)
        return "".join(found) if isinstance(found, dict) else "@+"

    def _word(self, name: str, default: str) -> str:
        found = getattr(self._features, name, None)
        return default if found is None or isinstance(found, bool) else str(found)

    def _number(self, name: str) -> int | None:
        found = getattr(self._features, name, None)
        return found if isinstance(found, int) and not isinstance(found, bool) else None
