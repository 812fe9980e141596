"""Who may steer: an account that the network vouches for, or a fresh signature. Never a nick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bots.control.signatures import SignatureRefused, Signed, verify
from bots.settings import OperatorSettings


class NotAnOperator(Exception):
    """The one who asks may not steer; the text says what would be needed."""


@dataclass(frozen=True)
class Evidence:
    """What a chat line carries to show that its speaker may steer."""

    #: services account, as the network vouches for it (account-tag)
    account: str | None = None
    signed: Signed | None = None


@dataclass(frozen=True)
class Operators:
    settings: OperatorSettings
    swarm: str
    #: base64 of an Ed25519 public key
    public_key: str
    clock: Callable[[], datetime]

    def vouch(self, evidence: Evidence) -> str:
        """Who steers, for the record (``account:alice`` or ``signature``); raises `NotAnOperator`.

        A signature's nonce is the caller's to use up: that takes the store, and a kill must not
        wait for it.
        """
        if evidence.signed is not None:
            try:
                verify(
                    evidence.signed, swarm=self.swarm, public_key=self.public_key, now=self.clock()
                )
            except SignatureRefused as error:
                raise NotAnOperator(str(error)) from error
            return "signature"
        accounts = {a.casefold() for a in self.settings.irc_accounts}
        if evidence.account and evidence.account.casefold() in accounts:
            return f"account:{evidence.account}"
        raise NotAnOperator(
            "only an operator may do that: log in to an operator's account, or sign the command "
            "(python3 run.py sign)"
        )
