"""Who may steer: an account that the network vouches for, or a fresh signature. Never a nick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bots.control.signatures import SignatureRefused, Signed, verify
from bots.messages import DISCORD
from bots.swarm_settings import OperatorSettings


class NotAnOperator(Exception):
    """The one who asks may not steer; the text says what would be needed."""


@dataclass(frozen=True)
class Evidence:
    """What shows that somebody may steer.

    Each kind is compared with its own list only: an IRC account that is called like a Discord id
    is not that person, nor the reverse.
    """

    #: services account, as the IRC network vouches for it (account-tag)
    account: str | None = None
    signed: Signed | None = None
    #: Discord user id, and ids of the roles that Discord says this member has
    discord_user: str | None = None
    discord_roles: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        network: str,
        account: str | None,
        *,
        roles: Iterable[str] = (),
        signed: Signed | None = None,
    ) -> Evidence:
        """What is known of who speaks on `network`: there `account` is a Discord user id, or a
        services account.
        """
        if network == DISCORD:
            return cls(signed=signed, discord_user=account, discord_roles=tuple(roles))
        return cls(account=account, signed=signed)


@dataclass(frozen=True)
class Operators:
    settings: OperatorSettings
    swarm: str
    #: base64 of an Ed25519 public key
    public_key: str
    clock: Callable[[], datetime]
    #: ids of Discord roles that steer besides: those of the sandbox guild, known once it is up
    guild_roles: Callable[[], tuple[str, ...]] = tuple

    def vouch(self, evidence: Evidence) -> str:
        """Who steers, for the record: ``account:alice``, ``discord:user:45``, ``discord:role:67``
        or ``signature``; raises `NotAnOperator`.

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
        known = self._account(evidence) or self._discord(evidence)
        if known is not None:
            return known
        if evidence.discord_user is not None:
            raise NotAnOperator(
                "only an operator may do that: your Discord user id or one of your roles would "
                "have to be named in swarm.toml under [operators]"
            )
        raise NotAnOperator(
            "only an operator may do that: log in to an operator's account, or sign the command "
            "(python3 run.py sign)"
        )

    def _account(self, evidence: Evidence) -> str | None:
        accounts = {a.casefold() for a in self.settings.irc_accounts}
        known = evidence.account and evidence.account.casefold() in accounts
        return f"account:{evidence.account}" if known else None

    def _discord(self, evidence: Evidence) -> str | None:
        if evidence.discord_user is None:
            return None
        if evidence.discord_user in self.settings.discord_users:
            return f"discord:user:{evidence.discord_user}"
        steering = {*self.settings.discord_roles, *self.guild_roles()}
        role = next((r for r in evidence.discord_roles if r in steering), None)
        return None if role is None else f"discord:role:{role}"
