"""What people may order of the supervisor, whatever door they come through."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bots.commands.parse import parse
from bots.commands.steering import ScopeError, scope_of
from bots.control import signatures, wire
from bots.control.door import BadRequest, Body, Steer, Unavailable, words_of
from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.control.signatures import Signed
from bots.lifeline import Message
from bots.secrets import SecretError
from bots.supervisor.child import Child
from bots.supervisor.latching import KilledAgain, Latching
from storage.errors import StorageError
from storage.latch import Latch


@dataclass(frozen=True)
class Wish:
    """What somebody wants, taken from the words that they said or signed."""

    verb: str
    scope: str
    reason: str
    door: str
    signed: Signed | None

    @classmethod
    def of(cls, message: Message, agents: frozenset[str]) -> Wish:
        """Raises `ScopeError` or `BadRequest` for words that name nobody or nothing."""
        words = str(message["words"])
        signed = signatures.parse(words)
        spoken = parse(words, "")
        if spoken is None or spoken.name not in {"kill", "resume", "restart"}:
            raise BadRequest("that is no steering command")
        scope, reason = scope_of(spoken, agents)
        return cls(spoken.name, scope, reason, str(message["door"]), signed)


def _no_key(agent: str, reference: str) -> str:
    raise SecretError(f"{agent} thinks with no model")


class Orders:
    """Kill, resume, restart and stop: by HTTP with the state folder's token, or asked for by an
    agent.
    """

    def __init__(
        self,
        latching: Latching,
        children: Mapping[str, Child],
        operators: Operators,
        *,
        clock: Callable[[], datetime],
        stop: Callable[[], None],
        status: Callable[[], Any],
        first_use: Callable[[Signed], Awaitable[bool]],
        key_of: Callable[[str, str], str] = _no_key,
    ) -> None:
        """`key_of` gives an agent's API key by its reference; raises `SecretError`."""
        self._latching = latching
        self._children = children
        self._operators = operators
        self._clock = clock
        self._stop = stop
        self._status = status
        self._first_use = first_use
        self._key_of = key_of
        self._agents = frozenset(children)

    def routes(self) -> dict[tuple[str, str], Steer]:
        """The supervisor's HTTP routes, see `bots.control.door`."""
        return {
            ("POST", "/control/kill"): self._kill,
            ("POST", "/control/resume"): self._resume,
            ("POST", "/control/restart"): self._restart,
            ("POST", "/control/stop"): self._stop_all,
            ("GET", "/status"): self._tell_status,
        }

    def hear(self, child: Child, message: Message) -> None:
        """A message of an agent that is no pong."""
        if "killed" in message:
            self._latching.confirm(child)
        elif message.get("please") == "kill":
            self._latching.hear_kill(message["latch"])

    async def asked(self, child: Child, message: Message) -> None:
        """An agent passes an operator's word on: the evidence is checked here, where the act
        happens.

        A signature binds the words that were signed, whatever the agent says they were; that an
        account or a Discord user spoke is the agent's word, for only its connection can know.
        """
        answer: dict[str, Any] = {"answer": message["id"]}
        if message.get("please") == "key":
            child.send(answer | await self._key(child, str(message.get("reference", ""))))
            return
        try:
            wish = Wish.of(message, self._agents)
            by = self._operators.vouch(_evidence(message, wish.signed))
            await self._use_up(wish)
            answer |= {"ok": True, "text": await self._obey(wish, f"{message['by']} ({by})")}
        except (NotAnOperator, BadRequest, Unavailable, ScopeError) as error:
            answer |= {"ok": False, "text": f"No: {error}."}
        child.send(answer)

    async def _key(self, child: Child, reference: str) -> dict[str, Any]:
        """An API key as it is now: somebody may have mended the file or the keyring."""
        try:
            key = await asyncio.to_thread(self._key_of, child.name, reference)
        except SecretError:
            # Why is the doctor's to say; the agent goes on with what it has.
            return {"ok": False, "text": ""}
        return {"ok": True, "text": key}

    async def _obey(self, wish: Wish, by: str) -> str:
        if wish.verb == "kill":
            return await self._latching.outcome(wish.scope) or (
                "No: that signature was used before; sign the command again."
            )
        if wish.verb == "resume":
            await self._open(wish.scope, by, wish.door, wish.reason)
            return f"resumed {wish.scope}"
        named = self._children.values() if wish.scope == "all" else [self._named(wish.scope)]
        for child in named:
            child.restart()
        return f"restarting {wish.scope}"

    async def _use_up(self, wish: Wish) -> None:
        """A signature is good once; a kill's was used up by the reflex that carried it out."""
        if wish.signed is None or wish.verb == "kill":
            return
        try:
            first = await self._first_use(wish.signed)
        except StorageError as error:
            raise Unavailable(f"the signature cannot be checked: {error}") from error
        if not first:
            raise NotAnOperator("that signature was used before; sign the command again")

    async def _kill(self, body: Body) -> Body:
        order = Latch(
            scope=self._scope(body),
            killed=True,
            by=words_of(body, "by", "the holder of the control token"),
            door=words_of(body, "door", "http"),
            reason=words_of(body, "reason", ""),
            changed_at=self._clock(),
        )
        force = body.get("force", False)
        if not isinstance(force, bool):
            raise BadRequest("'force' must be true or false")
        return (await self._latching.kill(order, force=force)).as_json()

    async def _resume(self, body: Body) -> Body:
        reason = words_of(body, "reason", "")
        if not reason:
            raise BadRequest("resume needs a reason")
        by = words_of(body, "by", "the holder of the control token")
        return wire.to_json(
            await self._open(self._scope(body), by, words_of(body, "door", "http"), reason)
        )

    async def _restart(self, body: Body) -> Body:
        names = [words_of(body, "agent")] if body.get("agent") else list(self._children)
        for name in names:
            self._named(name).restart()
        return {"restarting": names}

    async def _stop_all(self, body: Body) -> Body:
        self._stop()
        return {"stopping": True}

    async def _tell_status(self, body: Body) -> Body:
        status: Body = await self._status()
        return status

    async def _open(self, scope: str, by: str, door: str, reason: str) -> Latch:
        if not reason:
            raise BadRequest("resume needs a reason")
        try:
            return await self._latching.resume(scope, by, door, reason)
        except KilledAgain as error:
            raise Unavailable(str(error)) from error
        except (StorageError, OSError) as error:
            raise Unavailable(f"still killed: the latch could not be opened: {error}") from error

    def _scope(self, body: Body) -> str:
        scope = words_of(body, "scope", "all")
        if scope != "all":
            self._named(scope)
        return scope

    def _named(self, name: str) -> Child:
        if name in self._children:
            return self._children[name]
        near = difflib.get_close_matches(name, self._children, 1)
        raise BadRequest(
            f"there is no agent {name!r}" + (f"; did you mean {near[0]}?" if near else "")
        )


def _evidence(message: Message, signed: Signed | None) -> Evidence:
    return Evidence(
        account=message.get("account"),
        signed=signed,
        discord_user=message.get("discord_user"),
        discord_roles=tuple(map(str, message.get("discord_roles") or ())),
    )
