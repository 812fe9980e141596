"""The part of `swarm.toml` about hooks: who outside the swarm may hand work to whom, and where the
doors are.
"""

from __future__ import annotations

import ipaddress

from pydantic import Field, field_validator, model_validator

from bots.setting_types import AgentName, FilePath, SecretReference, Table

#: as which who has the token asks for work: no sender may be called so
_TAKEN = "token"


class SenderSettings(Table):
    """Somebody outside the swarm who may send signed hooks, under a name of ours."""

    #: the HMAC secret, by reference; left out: `run.py keys create NAME` makes one
    secret: SecretReference | None = None
    #: agents it may address, ``all`` for everybody; nobody unless named
    may_delegate_to: tuple[str, ...] = ()

    def may_address(self, agent: str) -> bool:
        return agent in self.may_delegate_to or "all" in self.may_delegate_to


class HookSettings(Table):
    #: address that the agents' hook servers listen on; wider than loopback only with TLS
    listen: str = "127.0.0.1"
    #: PEM files: the certificate with its chain, and its private key
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    #: bearer token of scripts; left out: one made in the state folder
    token: SecretReference | None = None
    #: host names and addresses under which callers from elsewhere know this machine
    names: tuple[str, ...] = ()
    #: where a result is said that a hook wants delivered without saying where
    channel: str = Field(
        default="", pattern=r"^((irc:|discord:)?[#&]\S+|discord:(channel|user):\d+|irc:nick:\S+)?$"
    )
    #: hooks that one caller may send, and how many of them at once
    per_minute: float = Field(default=60.0, gt=0)
    burst: int = Field(default=20, ge=1)
    #: largest body
    body_bytes: int = Field(default=262_144, ge=1_024, le=16_777_216)
    #: callers that are kept waiting for a result at a time
    waiting: int = Field(default=50, ge=0)
    #: outside senders that sign with an HMAC secret, by name
    senders: dict[AgentName, SenderSettings] = Field(default_factory=dict)

    @property
    def is_wide(self) -> bool:
        """Others than this machine can come."""
        return not ipaddress.ip_address(self.listen).is_loopback

    @field_validator("listen")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("an address is wanted, such as 127.0.0.1 or 0.0.0.0") from None

    @field_validator("senders")
    @classmethod
    def _nobody_is_the_token(cls, value: dict[str, SenderSettings]) -> dict[str, SenderSettings]:
        if _TAKEN in {name.lower() for name in value}:
            raise ValueError(f"{_TAKEN!r} is what a script with the token is called")
        return value

    @model_validator(mode="after")
    def _closed_to_strangers(self) -> HookSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if not self.is_wide:
            return self
        if self.tls_certificate is None:
            raise ValueError(f"listen = {self.listen!r} needs tls_certificate and tls_key")
        if self.token is None and not self.senders:
            raise ValueError(f"listen = {self.listen!r} needs a token or senders")
        if not self.names and ipaddress.ip_address(self.listen).is_unspecified:
            raise ValueError(f"listen = {self.listen!r} needs names: what callers write in the URL")
        return self
