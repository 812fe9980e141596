"""Who stands at the door: a script with the token, or somebody whose signature proves a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import SecretStr

from bots.control.door import is_same
from bots.delegating.order import AUTO
from bots.hooks import body
from bots.hooks.envelope import Envelope
from bots.hooks.proof import Proofs, is_envelope, opened
from bots.hooks.rate import RateLimit
from bots.hooks.receiving import First
from bots.hooks.refusal import Refused
from bots.hooks.refusals import CALLER
from bots.settings import Settings
from brain.delegation.authority import ALL, Authority
from storage.store import Store

#: as `Order.asked_by` names who has the token; no sender and no agent has this name
TOKEN: Final = "hook:token"  # noqa: S105
#: refusals of who has proved nothing, a minute and an address: a part of what callers may come
_STRANGERS: Final = 1 / 3


@dataclass(frozen=True)
class Caller:
    #: ``hook:token``, or ``hook:`` and the sender or agent that signed
    name: str
    #: what was asked, without its envelope
    body: Mapping[str, Any]
    #: whether it may have another agent than this one asked; `AUTO` is anybody
    may_ask: Callable[[str], bool]
    #: None for who has the token
    envelope: Envelope | None = None
    #: proves that it is who it says, in the transaction that does what it asks for; until then
    #: nothing is done and nothing told. None: that is proved
    first: First | None = None

    def owns(self, asked_by: str) -> bool:
        """Whether a delegation that `asked_by` asked for is this caller's own."""
        return asked_by == self.name or asked_by.startswith(f"{self.name}/")


class Callers:
    """Tells callers apart, and lets none come too often."""

    def __init__(
        self,
        *,
        agent: str,
        settings: Settings,
        authority: Authority,
        token: SecretStr | None,
        store: Store,
        proofs: Proofs,
        monotonic: Callable[[], float],
    ) -> None:
        self._agent = agent
        self._hooks = settings.hooks
        self._authority = authority
        self._token = token
        self._store = store
        self._proofs = proofs
        self._monotonic = monotonic
        limits = settings.hooks
        self._known = RateLimit(per_minute=limits.per_minute, burst=limits.burst)
        self._strangers = RateLimit(per_minute=limits.per_minute * _STRANGERS, burst=limits.burst)

    async def identify(self, request: web.Request, kind: str) -> Caller:
        """Who it is, or says that it is: see `Caller.first`. Raises `Refused`.

        `kind` is what an envelope must be of: ``task``, ``wake``, ``cancel`` or, for what has no
        body, ``read``.
        """
        if "token" in request.query:
            why = "a token in an address ends in logs: send it as a header"
            raise self.stranger(request, Refused("unsupported", why))
        given = _token_in(request)
        if given is None:
            return self._signed(request, await self._sealed_in(request, kind), kind)
        self._check_token(request, given)
        request[CALLER] = TOKEN
        self._take(TOKEN, request)
        found = {} if kind == "read" else body.object_in(await self._read(request))
        # A signature says more than a token that many scripts have.
        if is_envelope(found):
            return self._signed(request, found, kind)
        return Caller(TOKEN, found, may_ask=lambda _: True)

    async def prove(self, request: web.Request, caller: Caller) -> None:
        """What `Caller.first` is for, where no transaction follows that could do it; raises
        `Refused`, and `storage.errors.StorageError`.
        """
        if caller.first is not None:
            await self._store.write(caller.first)
        request[CALLER] = caller.name

    async def _sealed_in(self, request: web.Request, kind: str) -> dict[str, Any]:
        """The envelope that is the body, as it came."""
        nobody = Refused(
            "unauthorized",
            "a token is needed (Authorization: Bearer …), or a signed envelope as the body",
        )
        if kind == "read":
            raise self.stranger(request, nobody)
        try:
            found = body.object_in(await self._read(request))
        except Refused as error:
            raise self.stranger(request, nobody if error.code == "bad_json" else error) from None
        if not is_envelope(found):
            raise self.stranger(request, nobody)
        return found

    def stranger(self, request: web.Request, refused: Refused) -> Refused:
        """What to tell who has proved nothing: after too many refusals, to wait; unaudited then,
        so that nobody fills the audit from outside.
        """
        verdict = self._strangers.take(request.remote, self._monotonic())
        return _wait(verdict.wait_s, audited=verdict.is_first) if verdict.wait_s else refused

    async def _read(self, request: web.Request) -> bytes:
        return await body.read(request, self._hooks.body_bytes)

    def _check_token(self, request: web.Request, given: str) -> None:
        right = self._token.get_secret_value() if self._token else ""
        # Compared in any case: how long it takes tells nothing.
        same = is_same(given, right)
        if not right or not same:
            wrong = Refused("unauthorized", "that is not this swarm's hook token")
            raise self.stranger(request, wrong)

    def _take(self, name: str, request: web.Request) -> None:
        verdict = self._known.take((name, request.remote), self._monotonic())
        if verdict.wait_s:
            raise _wait(verdict.wait_s, audited=verdict.is_first)

    def _signed(self, request: web.Request, found: dict[str, Any], kind: str) -> Caller:
        try:
            sealed = opened(found)
            objection = self._objection(sealed.envelope, kind)
        except Refused as error:
            raise self.stranger(request, error) from None
        if objection is not None:
            raise self.stranger(request, objection)
        sender = sealed.envelope.sender
        self._take(f"hook:{sender}", request)
        return Caller(
            f"hook:{sender}",
            sealed.envelope.body,
            envelope=sealed.envelope,
            may_ask=lambda other: self._may_ask(sender, other),
            first=lambda unit: self._proofs.accept(unit, sealed),
        )

    def _objection(self, given: Envelope, kind: str) -> Refused | None:
        """What speaks against it whoever signed it; names nothing that a stranger does not know."""
        if given.to != self._agent:
            return Refused(
                "retargeted", f"it is for {given.to!r}, and this is {self._agent}'s door"
            )
        if given.kind != kind:
            return Refused("retargeted", f"its kind is {given.kind!r}, and this takes {kind!r}")
        known = {*self._hooks.senders, *self._authority.allowed}
        if given.sender not in known:
            return Refused("bad_key", "nobody here has a key of that sender")
        if not self._may_ask(given.sender, self._agent):
            return Refused("not_allowed", f"{given.sender} may not give work to {self._agent}")
        if given.hops > self._authority.max_hops:
            return Refused("not_allowed", f"it went through {given.hops} agents already")
        return None

    def _may_ask(self, name: str, other: str) -> bool:
        """As swarm.toml says of this sender, or this agent."""
        sender = self._hooks.senders.get(name)
        if other == AUTO:
            return ALL in (sender.may_delegate_to if sender else self._authority.allowed[name])
        return sender.may_address(other) if sender else self._authority.may_give(name, other)


def _token_in(request: web.Request) -> str | None:
    """The token of a header; None when there is none. A Bearer header counts before OpenClaw's."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return request.headers.get("X-OpenClaw-Token", "").strip() or None


def _wait(wait_s: float, *, audited: bool) -> Refused:
    sentence = f"too often: try again in {wait_s:.0f} s"
    return Refused("too_many", sentence, retry_after_s=wait_s, audited=audited)
