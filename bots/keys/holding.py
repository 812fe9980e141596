"""What one agent process holds: its own signer, and the secrets of outside senders it may hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import SecretStr

from bots.agent.spec import AgentSpec
from bots.keys.signer import Signer
from bots.lifeline import Message

_NO_KEY: Final = "this agent has no signing key: `python3 run.py doctor` says why"


class NoKey(Exception):
    """This agent can sign nothing now; the text says why."""


class AgentKeys:
    """Filled by the spec, and from then on by the lifeline; `hide` is told of each secret first."""

    def __init__(self, hide: Callable[[str], None]) -> None:
        self._hide = hide
        self._signer: Signer | None = None
        self._senders: dict[str, SecretStr] = {}

    @classmethod
    def of(cls, spec: AgentSpec, hide: Callable[[str], None]) -> AgentKeys:
        """What an agent is born with."""
        keys = cls(hide)
        if spec.signing_key is not None:
            keys.sign_with(spec.signing_key_id, spec.signing_key)
        keys.hear(spec.sender_secrets)
        return keys

    @property
    def signer(self) -> Signer:
        """The key to sign the next message with; raises `NoKey`.

        It may be another one the next time: take it once for each message.
        """
        if self._signer is None:
            raise NoKey(_NO_KEY)
        return self._signer

    @property
    def trouble(self) -> str:
        """Why it can sign nothing now; empty when it can."""
        return "" if self._signer else _NO_KEY

    @property
    def key_id(self) -> str:
        """The id of the key that it signs with now; empty when it has none."""
        return self._signer.key_id if self._signer else ""

    @property
    def sender_ids(self) -> list[str]:
        """The ids of the keys whose HMAC secrets it holds."""
        return sorted(self._senders)

    def secret_of(self, key_id: str) -> SecretStr | None:
        """The HMAC secret of this key, None where its sender may not address this agent."""
        return self._senders.get(key_id)

    def sign_with(self, key_id: str, private: SecretStr) -> None:
        """From now on sign with this Ed25519 key (base64 of its private half)."""
        self._hide(private.get_secret_value())
        self._signer = Signer(key_id, private)

    def hear(self, senders: Mapping[str, SecretStr]) -> None:
        """These, by key id, are the secrets of the senders from now on, and no others."""
        for secret in senders.values():
            self._hide(secret.get_secret_value())
        self._senders = dict(senders)

    def take(self, message: Message) -> None:
        """What the supervisor hands over by the lifeline, see `bots.lifeline`."""
        if "signing_key" in message:
            given = message["signing_key"]
            if given is None:
                self._signer = None
            else:
                self.sign_with(given["key_id"], SecretStr(given["private"]))
        if "sender_secrets" in message:
            self.hear({k: SecretStr(v) for k, v in message["sender_secrets"].items()})
