"""IRCv3 capability negotiation, version 302, as a state machine: lines in, lines out."""

from __future__ import annotations

from collections.abc import Iterable

#: what we can use; only what the server offers is asked for
WANTED = frozenset(
    {
        "account-notify",
        "account-tag",
        "batch",
        "cap-notify",
        "chghost",
        "echo-message",
        "extended-join",
        "labeled-response",
        "message-tags",
        "multi-prefix",
        "server-time",
        "userhost-in-names",
    }
)
#: names in one REQ stay under this many bytes, so that the server's ACK fits into a line too
_REQUEST_BYTES = 400


class Negotiation:
    """`start` gives the first line; `receive` takes the parameters of each CAP line and answers.

    `enabled` is what the server said yes to. `settled` is true once the list is complete and no
    request is open. `sasl` is asked for only when `wanted` names it.
    """

    def __init__(self, wanted: Iterable[str] = WANTED) -> None:
        self._wanted = frozenset(wanted)
        self._listed = False
        #: names of each open request; a NAK refuses all of a request at once
        self._open: list[frozenset[str]] = []
        self.offered: dict[str, str] = {}
        self.enabled: set[str] = set()

    @property
    def settled(self) -> bool:
        return self._listed and not self._open

    def start(self) -> list[str]:
        return ["CAP LS 302"]

    def receive(self, params: tuple[str, ...]) -> list[str]:
        """Answer one CAP line, given as `(client, subcommand, …)`; unknown ones get no answer."""
        if len(params) < 3:
            return []
        names = params[-1].split()
        match params[1].upper():
            case "LS":
                return self._list(names, more=params[2] == "*" and len(params) > 3)
            case "ACK":
                self._acknowledge(names)
            case "NAK":
                return self._refuse(names)
            case "NEW":
                return self._list(names, more=False)
            case "DEL":
                self._withdraw(names)
        return []

    def _list(self, names: list[str], *, more: bool) -> list[str]:
        for name in names:
            key, _, value = name.partition("=")
            self.offered[key] = value
        if more:
            return []
        self._listed = True
        return self._request(sorted((self._wanted & self.offered.keys()) - self.enabled))

    def _request(self, names: list[str]) -> list[str]:
        lines: list[str] = []
        batch: list[str] = []
        for name in names:
            if batch and len(" ".join([*batch, name])) > _REQUEST_BYTES:
                lines.append(self._ask(batch))
                batch = []
            batch.append(name)
        if batch:
            lines.append(self._ask(batch))
        return lines

    def _ask(self, names: list[str]) -> str:
        self._open.append(frozenset(names))
        return f"CAP REQ :{' '.join(names)}"

    def _acknowledge(self, names: list[str]) -> None:
        self._close(names)
        for name in names:
            if name.startswith("-"):
                self.enabled.discard(name[1:])
            else:
                self.enabled.add(name)

    def _refuse(self, names: list[str]) -> list[str]:
        """One bad name spoils a whole request, so the names are asked for once more, one by one."""
        asked = self._close(names)
        if len(asked) < 2:
            return []
        return [self._ask([name]) for name in sorted(asked)]

    def _close(self, names: list[str]) -> frozenset[str]:
        said = {name.lstrip("-") for name in names}
        for asked in self._open:
            if asked & said:
                self._open.remove(asked)
                # a long ACK may come in several lines
                if rest := asked - said:
                    self._open.append(rest)
                return asked & said
        return frozenset()

    def _withdraw(self, names: list[str]) -> None:
        for name in names:
            self.offered.pop(name, None)
            self.enabled.discard(name)
