"""Who is in which channel. Names come in folded; the spelling that people see is kept too."""

from __future__ import annotations


class Members:
    def __init__(self) -> None:
        self._channels: dict[str, dict[str, str]] = {}

    def join(self, channel: str, nick: str, shown: str) -> None:
        self._channels.setdefault(channel, {})[nick] = shown

    def part(self, channel: str, nick: str) -> None:
        self._channels.get(channel, {}).pop(nick, None)

    def leave(self, channel: str) -> None:
        """We are out of `channel` and no longer see who is there."""
        self._channels.pop(channel, None)

    def quit(self, nick: str) -> list[str]:
        """Remove `nick` everywhere; the channels that we shared with it."""
        shared = self.channels_of(nick)
        for channel in shared:
            del self._channels[channel][nick]
        return shared

    def rename(self, old: str, new: str, shown: str) -> list[str]:
        """`old` is called `new` now; the channels that we share with it."""
        shared = self.channels_of(old)
        for channel in shared:
            del self._channels[channel][old]
            self._channels[channel][new] = shown
        return shared

    def channels_of(self, nick: str) -> list[str]:
        return [channel for channel, nicks in self._channels.items() if nick in nicks]

    def nicks(self, channel: str) -> list[str]:
        """Nicks in `channel` as people see them, sorted."""
        return sorted(self._channels.get(channel, {}).values())
