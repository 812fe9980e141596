"""How a refusal is answered and written down: never with what the body said, never a secret."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from bots.hooks.refusal import Refused
from storage import audit
from storage.errors import StorageError
from storage.store import Store
from storage.unit import Unit

VERB: Final = "refused"
#: who it is, once that is proved
CALLER: Final = web.RequestKey("caller", str)


@dataclass(frozen=True)
class Refusals:
    agent: str
    store: Store
    #: hides secrets in what is kept
    clean: Callable[[str], str]
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    async def answer(self, request: web.Request, refused: Refused, trace_id: str) -> web.Response:
        """The response, once the audit has it; the answer does not depend on the audit."""
        self.log.info("hook.refused", code=refused.code, remote=request.remote, trace_id=trace_id)
        if refused.audited:
            try:
                await self.store.write(lambda unit: self._write(unit, request, refused, trace_id))
            except StorageError as error:
                self.log.warning("hook.unaudited", error=str(error), trace_id=trace_id)
        return respond(refused)

    async def _write(
        self, unit: Unit, request: web.Request, refused: Refused, trace_id: str
    ) -> None:
        route = request.match_info.route.resource
        await audit.append(
            unit,
            agent=self.agent,
            at=self.clock(),
            verb=VERB,
            target=f"hook:{route.canonical if route else request.path}",
            outcome="refused",
            reason=self.clean(str(refused)),
            details={
                "policy": "hooks",
                "code": refused.code,
                "status": refused.status,
                "remote": request.remote,
                "caller": request.get(CALLER, ""),
            },
            trace_id=trace_id,
        )


def respond(refused: Refused) -> web.Response:
    headers = {}
    if refused.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refused.retry_after_s)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hooks"'
    told = {"error": str(refused), "code": refused.code}
    return web.json_response(told, status=refused.status, headers=headers)
