"""The HTTP room of one agent: work comes in by ``POST /hooks/agent`` and ``POST /hooks/wake``, and
is asked about and ended at ``/tasks/{id}``. docs/HOOKS.md tells callers of it.

Every answer is JSON; every refusal is ``{"error": sentence, "code": word}`` and an audit entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from bots.delegating.order import Killed, NobodyOfThatName, NotAllowed, NotGiven, Order, Reused
from bots.delegating.waiting import is_settled
from bots.hooks import asking, body
from bots.hooks.answers import answer_of, completion_of
from bots.hooks.asking import LONGEST_KEY, Asked
from bots.hooks.callers import Caller, Callers
from bots.hooks.event_room import EventRoom
from bots.hooks.fields import bad, is_clean
from bots.hooks.openapi import document
from bots.hooks.receiving import Desk
from bots.hooks.refusal import Refused
from bots.hooks.refusals import CALLER, Refusals
from bots.metrics import HOOKS
from bots.settings import Settings
from storage.delegation_tables import Delegation
from storage.errors import StorageError

#: a caller that went away is noticed within this time
_LOOK_S: Final = 2.0
_KEY_HEADERS: Final = ("Idempotency-Key", "X-OpenClaw-Idempotency-Key")
#: refusals of the engine → word
_REFUSALS: Final = (
    (NobodyOfThatName, "unknown_agent"),
    (NotAllowed, "not_allowed"),
    (Reused, "reused"),
    (Killed, "killed"),
    (NotGiven, "not_given"),
)

Work = Callable[[web.Request, str], Awaitable[web.Response]]


class HookRoom:
    """The routes of one agent."""

    def __init__(
        self,
        *,
        agent: str,
        settings: Settings,
        desk: Desk,
        callers: Callers,
        refusals: Refusals,
        events: EventRoom,
        monotonic: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._agent = agent
        self._hooks = settings.hooks
        self._desk = desk
        self._callers = callers
        self._refusals = refusals
        self._events = events
        self._monotonic = monotonic
        self._log = log
        #: requests that are kept waiting
        self._waiting = 0

    def routes(self) -> Iterable[web.RouteDef]:
        """For an application of aiohttp; they need no other authentication."""
        yield web.get("/openapi.json", self._openapi)
        for path, work in (
            ("/hooks/agent", self._task),
            ("/hooks/wake", self._wake),
            ("/tasks/{id}/cancel", self._cancel),
        ):
            yield web.route("POST", path, self._told(work), expect_handler=self._expect)
        yield web.get("/tasks/{id}", self._told(self._read), allow_head=False)
        for method, path, answer in self._events.routes():
            yield web.route(method, path, self._told(answer), expect_handler=self._expect)

    def _told(self, work: Work) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            trace_id = secrets.token_hex(8)
            try:
                response = await work(request, trace_id)
            except Refused as error:
                response = await self._refusals.answer(request, error, trace_id)
            except StorageError as error:
                self._log.warning("hook.store", error=str(error), trace_id=trace_id)
                away = Refused("unavailable", "the store does not answer now", retry_after_s=5.0)
                response = await self._refusals.answer(request, away, trace_id)
            HOOKS.labels(str(response.status)).inc()
            return response

        return handle

    async def _expect(self, request: web.Request) -> web.Response | None:
        """Who asks before sending (``Expect: 100-continue``, as curl does) is told at once when the
        body is too large.
        """
        try:
            body.refuse_larger(request, self._hooks.body_bytes)
        except Refused as error:
            # Nobody has looked at a token yet.
            told = self._callers.stranger(request, error)
            return await self._refusals.answer(request, told, secrets.token_hex(8))
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What was written is no part of the answer.
        request.writer.output_size = 0
        return None

    async def _openapi(self, request: web.Request) -> web.Response:
        found = document(self._agent, has_default_channel=bool(self._hooks.channel))
        return web.json_response(found)

    async def _task(self, request: web.Request, trace_id: str) -> web.Response:
        caller = await self._callers.identify(request, "task")
        return await self._given(
            request,
            caller,
            lambda: asking.task_in(_with_reply_to(caller), self._hooks.channel),
            trace_id,
        )

    async def _wake(self, request: web.Request, trace_id: str) -> web.Response:
        caller = await self._callers.identify(request, "wake")
        return await self._given(
            request, caller, lambda: asking.wake_in(_without_reply_to(caller)), trace_id
        )

    async def _given(
        self, request: web.Request, caller: Caller, read: Callable[[], Asked], trace_id: str
    ) -> web.Response:
        try:
            asked = read()
            key = _key_of(request, caller, asked)
            order = self._order(caller, replace(asked, key=key), trace_id)
        except Refused:
            # What is wrong is told to who has proved a name.
            await self._callers.prove(request, caller)
            raise
        try:
            delegation = await self._desk.give(order, caller.first)
        except NotGiven as error:
            request[CALLER] = caller.name
            raise _refused_by_desk(error) from error
        if asked.wait_s:
            delegation = await self._waited(request, delegation, asked.wait_s)
        answer = answer_of(delegation)
        settled = is_settled(delegation)
        if asked.wants_completion and settled:
            answer["completion"] = completion_of(delegation)
        return web.json_response(answer, status=200 if settled else 202)

    def _order(self, caller: Caller, asked: Asked, trace_id: str) -> Order:
        to = asked.to or self._agent
        if to != self._agent and not caller.may_ask(to):
            raise Refused("not_allowed", f"{caller.name} may not have {to!r} asked")
        return Order(
            to=to,
            instruction=asked.message,
            asked_by=f"{caller.name}/{asked.label}" if asked.label else caller.name,
            kind=asked.kind,
            deliver_to=asked.deliver_to,
            may_name_place=asked.may_name_place,
            priority=asked.priority,
            deadline=asked.deadline,
            idempotency_key=asked.key,
            trace_id=trace_id,
        )

    async def _waited(
        self, request: web.Request, delegation: Delegation, wait_s: float
    ) -> Delegation:
        """As it is once it has ended, or after `wait_s`, or at once where too many wait already."""
        if self._waiting >= self._hooks.waiting:
            return delegation
        until_s = self._monotonic() + wait_s
        self._waiting += 1
        try:
            while True:
                left_s = until_s - self._monotonic()
                delegation = await self._desk.wait(delegation.code, max(0.0, min(left_s, _LOOK_S)))
                gone = request.transport is None or request.transport.is_closing()
                if left_s <= _LOOK_S or gone or is_settled(delegation):
                    return delegation
        finally:
            self._waiting -= 1

    async def _read(self, request: web.Request, trace_id: str) -> web.Response:
        caller = await self._callers.identify(request, "read")
        return web.json_response(answer_of(await self._own(request, caller)))

    async def _cancel(self, request: web.Request, trace_id: str) -> web.Response:
        caller = await self._callers.identify(request, "cancel")
        await self._callers.prove(request, caller)
        reason = asking.reason_in(_without_reply_to(caller))
        if caller.envelope is not None and caller.body.get("task") != request.match_info["id"]:
            raise bad("task", "must be the id of the task, where it is signed")
        own = await self._own(request, caller)
        ended = await self._desk.cancel(own.code, caller.name, reason)
        return web.json_response(answer_of(ended or own))

    async def _own(self, request: web.Request, caller: Caller) -> Delegation:
        """What this caller asked for; another's is as if it were not there."""
        code = request.match_info["id"]
        found = await self._desk.read(code) if is_clean(code) and len(code) <= 40 else None
        if found is None or not caller.owns(found.asked_by):
            raise Refused("unknown_task", "you have asked for no such task here")
        return found


def _with_reply_to(caller: Caller) -> Mapping[str, Any]:
    """The body; the envelope's `reply_to` is its channel."""
    given = caller.envelope
    if given is None or not given.reply_to:
        return caller.body
    if caller.body.get("channel", given.reply_to) != given.reply_to:
        raise bad("channel", "and the envelope's 'reply_to' must be the same")
    return {**caller.body, "channel": given.reply_to}


def _without_reply_to(caller: Caller) -> Mapping[str, Any]:
    """The body, where nothing is said in a channel afterwards; a `reply_to` would be ignored."""
    if caller.envelope is not None and caller.envelope.reply_to:
        why = f"an envelope of kind {caller.envelope.kind!r} has no field 'reply_to'"
        raise Refused("unknown_field", why)
    return caller.body


def _key_of(request: web.Request, caller: Caller, asked: Asked) -> str | None:
    """The idempotency key: of a header, of the body, or an envelope's own id."""
    sent = next((request.headers[name] for name in _KEY_HEADERS if name in request.headers), "")
    key = sent.strip()
    if caller.envelope is not None:
        if key:
            raise Refused("unsupported", "an envelope's idempotencyKey stands in its body, signed")
        return asked.key or caller.envelope.id
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise bad("Idempotency-Key", f"must be at most {LONGEST_KEY} characters of ASCII")
    return key or asked.key


def _refused_by_desk(error: NotGiven) -> Refused:
    code = next(word for kind, word in _REFUSALS if isinstance(error, kind))
    return Refused(code, str(error))
