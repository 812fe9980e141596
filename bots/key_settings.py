"""The part of `swarm.toml` about keys: how long they live, and where the master key is."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from bots.setting_types import FilePath, SecretReference, Table, anchored
from storage.key_life import LIFE, OVERLAP

_DAY = timedelta(days=1)
_FORMS = 'file:PATH, env:NAME, keyring:NAME, "vault:MOUNT/PATH#FIELD" or aws:SECRET_ID'


def _master_reference(value: str, info: ValidationInfo) -> str:
    scheme, _, rest = value.partition(":")
    if not value:
        return value
    if scheme == "file" and rest:
        return f"file:{anchored(rest, info)}"
    path, hash_, name = rest.partition("#")
    in_vault = scheme == "vault" and "/" in path.strip("/") and hash_ and name
    if in_vault or (scheme in {"env", "keyring", "aws"} and rest):
        return value
    raise ValueError(f"where the master key is, is said by {_FORMS}")


class VaultSettings(Table):
    """How to reach HashiCorp Vault, for ``master = "vault:…"``."""

    url: str = Field(pattern=r"^https?://")
    token: SecretReference
    namespace: str = ""
    #: PEM file of who signed its certificate; empty: those that this machine trusts
    authority: FilePath | None = None


class AwsSettings(Table):
    """How to reach AWS Secrets Manager, for ``master = "aws:…"``."""

    region: str = ""
    #: another address than Amazon's own, such as a VPC endpoint
    endpoint: str = ""
    #: left out: what boto3 finds by itself (its files, its variables, the machine's role)
    access_key_id: SecretReference | None = None
    secret_access_key: SecretReference | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> AwsSettings:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together")
        return self


class KeySettings(Table):
    #: where the master key is; empty: a file in the state folder, made at the first start
    master: Annotated[str, AfterValidator(_master_reference)] = ""
    #: days that a key lives, and may live
    life_days: float = Field(default=LIFE / _DAY, gt=0, le=LIFE / _DAY)
    #: so long before its end a key is told of, and an agent's replaced
    warn_days: float = Field(default=14.0, gt=0)
    rotate_days: float = Field(default=7.0, gt=0)
    #: for so long the old one verifies beside the new
    overlap_s: float = Field(default=OVERLAP.total_seconds(), ge=0)
    vault: VaultSettings | None = None
    aws: AwsSettings = AwsSettings()

    @model_validator(mode="after")
    def _in_order(self) -> KeySettings:
        if not self.rotate_days <= self.warn_days < self.life_days:
            raise ValueError("rotate_days <= warn_days < life_days must hold")
        if self.master.startswith("vault:") and self.vault is None:
            raise ValueError("vault: needs the table [keys.vault] with url and token")
        return self

    @property
    def life(self) -> timedelta:
        return timedelta(days=self.life_days)

    @property
    def warn_within(self) -> timedelta:
        return timedelta(days=self.warn_days)

    @property
    def rotate_within(self) -> timedelta:
        return timedelta(days=self.rotate_days)

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_s)
