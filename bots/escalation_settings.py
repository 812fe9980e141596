"""The part of `swarm.toml` about how people are told, ever louder, that something waits."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from bots.setting_types import FilePath, SecretReference, Table

#: what a webhook's texts may name in braces
PLACEHOLDERS: Final = (
    *("code", "kind", "title", "reason", "cost", "asked_by", "until", "text", "round", "secret"),
)
_NAMED: Final = re.compile(r"\{(\w+)\}")
_ADDRESS: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
#: what a webhook is sent where swarm.toml does not say
_BODY: Final[dict[str, Any]] = {
    name: f"{{{name}}}" for name in PLACEHOLDERS if name not in {"secret", "round"}
}


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class _Step(Table):
    """When a step is taken, while nobody has decided."""

    #: after the question was asked
    after_s: float = Field(ge=0)
    #: so often in all, with so much time between
    times: int = Field(default=1, ge=1, le=20)
    every_s: float = Field(default=900.0, ge=10)


class DiscordStep(_Step):
    """A private message to each approver that is named by user id; roles are called where the card
    is.
    """

    via: Literal["discord"]


class EmailStep(_Step):
    via: Literal["email"]
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = Security.STARTTLS
    #: PEM file of who vouches for the server; left out: whom this machine trusts
    tls_authority: FilePath | None = None
    user: str = ""
    password: SecretReference | None = None
    sender: str
    to: tuple[str, ...] = Field(min_length=1, max_length=20)

    @field_validator("sender")
    @classmethod
    def _one_address(cls, value: str) -> str:
        return _address(value)

    @field_validator("to")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_address, value))

    @model_validator(mode="after")
    def _password_is_hidden(self) -> EmailStep:
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        if self.user and self.security is Security.NONE and not _is_loopback(self.host):
            raise ValueError("a password goes to another machine by TLS only: security = starttls")
        return self


class WebhookStep(_Step):
    """One POST of JSON, as Signal-CLI's REST API, ntfy or anybody's own takes it."""

    via: Literal["webhook"]
    url: str
    secret: SecretReference | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    #: JSON; texts in it may name what `PLACEHOLDERS` lists: ``"{code}: {title}"``
    body: dict[str, Any] = Field(default_factory=lambda: dict(_BODY))

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address is wanted, such as https://ntfy.example.org")
        if parts.username or parts.password:
            raise ValueError("no password in the address: name it by `secret`, write {secret}")
        return value

    @model_validator(mode="after")
    def _known_placeholders(self) -> WebhookStep:
        named = {n for text in _texts([self.url, self.headers, self.body]) for n in _named(text)}
        unknown = sorted(named - set(PLACEHOLDERS))
        if unknown:
            known = ", ".join(PLACEHOLDERS)
            raise ValueError(f"{{{unknown[0]}}} stands for nothing; there are {known}")
        if ("secret" in named) != (self.secret is not None):
            raise ValueError("`secret` and {secret} in url, headers or body go together")
        if self.secret and self.url.startswith("http:") and not _is_loopback(self.host):
            raise ValueError("a secret goes to another machine by https only")
        return self

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


Step = Annotated[DiscordStep | EmailStep | WebhookStep, Field(discriminator="via")]


class EscalationSettings(Table):
    #: taken while a question waits, besides its card
    steps: tuple[Step, ...] = (DiscordStep(via="discord", after_s=300, times=3, every_s=600),)

    @property
    def secrets(self) -> tuple[str, ...]:
        """References to all that the steps need."""
        found: list[str] = []
        for step in self.steps:
            if isinstance(step, EmailStep) and step.password:
                found.append(step.password)
            if isinstance(step, WebhookStep) and step.secret:
                found.append(step.secret)
        return tuple(found)


def filled(value: Any, words: dict[str, str]) -> Any:
    """The same with each ``{name}`` in its texts replaced; what comes in is not looked at again."""
    if isinstance(value, str):
        return _NAMED.sub(lambda found: words.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: filled(one, words) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [filled(one, words) for one in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _named(text: str) -> list[str]:
    return _NAMED.findall(text)


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"{value!r} is no e-mail address")
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
