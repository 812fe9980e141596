"""Secrets that the swarm makes for itself at each start: bus passwords, door tokens, the operator's
key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from bots.control.signatures import public_half, signing_key
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.programs import SUPERVISOR


@dataclass(frozen=True)
class Identities:
    """New with every start of the supervisor, but for the operator's key, which stays in the state
    folder.
    """

    #: user → password, with one for the supervisor
    bus_passwords: dict[str, str] = field(repr=False)
    #: agent → bearer token of its control door
    door_tokens: dict[str, str] = field(repr=False)
    #: bearer token of the supervisor's control door
    token: str = field(repr=False)
    #: base64 of the Ed25519 public key that signed commands verify against
    operator_key: str

    @classmethod
    def make(cls, agents: Iterable[str], settings: Settings, state: StateFolder) -> Identities:
        names = list(agents)
        return cls(
            bus_passwords={n: secrets.token_urlsafe(24) for n in [SUPERVISOR, *names]},
            door_tokens={n: secrets.token_urlsafe(24) for n in names},
            token=secrets.token_urlsafe(24),
            operator_key=settings.operators.public_key
            or public_half(signing_key(state.secrets / "operator.pem")),
        )
