"""Who is logged in to which services account, and who is a bot: as far as the network vouches."""

from __future__ import annotations

from collections.abc import Collection

from bots.irc.line import Line
from bots.irc.rules import ServerRules

#: the tag of IRCv3 bot mode, and what servers called it before it was ratified
_BOT_TAGS = ("bot", "draft/bot", "inspircd.org/bot")
_WHO_FLAGS = 6


class Identities:
    """Accounts come from account-tag, extended-join and account-notify only; ``*`` means none.

    A nick alone never proves anything: what is remembered ends when the person leaves our sight.
    """

    def __init__(self, rules: ServerRules) -> None:
        self._rules = rules
        self._accounts: dict[str, str] = {}
        self._bots: set[str] = set()

    def learn(self, line: Line, enabled: Collection[str]) -> None:
        """Take in JOIN (extended), ACCOUNT, and the bot flag of WHO and WHOIS."""
        if line.command == "JOIN" and "extended-join" in enabled:
            self._remember(line.sender, line.param(1))
        elif line.command == "ACCOUNT" and "account-notify" in enabled:
            self._remember(line.sender, line.param(0))
        elif line.command == "352" and self._rules.bot_mode:
            if self._rules.bot_mode in line.param(_WHO_FLAGS):
                self._bots.add(self._rules.fold(line.param(_WHO_FLAGS - 1)))
        elif line.command == "335":
            self._bots.add(self._rules.fold(line.param(1)))

    def account_of(self, line: Line, enabled: Collection[str]) -> str | None:
        """The sender's account: the tag where tags are on, else what joins and notices told."""
        if "account-tag" in enabled:
            tagged = line.tags.get("account")
            return tagged if tagged != "*" else None
        if not {"extended-join", "account-notify"} <= set(enabled):
            return None
        return self._accounts.get(self._rules.fold(line.sender))

    def is_bot(self, line: Line) -> bool:
        return any(tag in line.tags for tag in _BOT_TAGS) or (
            self._rules.fold(line.sender) in self._bots
        )

    def rename(self, old: str, new: str) -> None:
        before, after = self._rules.fold(old), self._rules.fold(new)
        account = self._accounts.pop(before, None)
        self._accounts.pop(after, None)
        if account is not None:
            self._accounts[after] = account
        if before in self._bots:
            self._bots.discard(before)
            self._bots.add(after)

    def forget(self, nick: str) -> None:
        folded = self._rules.fold(nick)
        self._accounts.pop(folded, None)
        self._bots.discard(folded)

    def _remember(self, nick: str, account: str) -> None:
        if account in ("", "*"):
            self._accounts.pop(self._rules.fold(nick), None)
        else:
            self._accounts[self._rules.fold(nick)] = account
