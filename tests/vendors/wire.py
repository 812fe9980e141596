"""What a vendor's wire format is to the stub: values in, JSON out. The server does the sending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.vendors.script import Asked, Fail, Say, Tokens


@dataclass(frozen=True)
class Event:
    """One server-sent event; text as `data` goes out as it is, such as ``[DONE]``."""

    data: Mapping[str, Any] | str
    #: the event's name, where the format has names
    name: str = ""
    #: how many characters of text or arguments it carries: what `Cut` counts and `Slow` spaces
    characters: int = 0
    #: it tells the client what it used
    reports: bool = False


class Wire(Protocol):
    """One endpoint of one vendor."""

    @property
    def path(self) -> str:
        """Such as ``/v1/messages``; requests are POSTed there."""

    def asked(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked: ...

    def complaint(self, asked: Asked) -> str | None:
        """What the vendor would say about the request (400), None if nothing."""

    def whole(self, asked: Asked, say: Say, tokens: Tokens) -> dict[str, Any]:
        """The body of an answer that is not streamed."""

    def events(self, asked: Asked, say: Say, tokens: Tokens) -> Iterator[Event]:
        """The same as a stream. Exactly one event `reports`."""

    def error(self, fail: Fail) -> dict[str, Any]:
        """An error's body."""

    def error_event(self, fail: Fail) -> Event:
        """The same in the middle of a stream."""

    def error_headers(self, fail: Fail) -> dict[str, str]:
        """Such as ``retry-after``."""

    def no_such_model(self, model: str) -> Fail: ...

    def wrong_key(self) -> Fail: ...


def bearer(headers: Mapping[str, str]) -> str:
    """The key of a request, from ``authorization`` or ``x-api-key``; empty without one."""
    key = headers.get("x-api-key") or headers.get("authorization", "")
    return key.removeprefix("Bearer ")
