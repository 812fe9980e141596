"""A kill spoken on IRC: carried out by whoever hears it, ahead of store, queue and model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from bots.commands.parse import Spoken
from bots.commands.steering import ScopeError, scope_of
from bots.control.once import first_use
from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.control.signatures import Signed
from bots.control.switch import KillSwitch
from bots.messages import Heard
from storage.errors import StorageError
from storage.store import Store

#: a kill does not wait longer for the store to say whether a signature was used before
NONCE_WITHIN_S = 0.3


@dataclass(frozen=True)
class KillReflex:
    operators: Operators
    switch: KillSwitch
    store: Store
    agents: frozenset[str]
    log: FilteringBoundLogger

    async def __call__(self, heard: Heard, spoken: Spoken) -> None:
        """Kill if an operator said so, else silence: the command's answer comes by the inbox."""
        try:
            by = self.operators.vouch(
                Evidence.of(heard.network, heard.account, signed=spoken.signed)
            )
        except NotAnOperator as error:
            self.log.warning("kill.refused", sender=heard.sender, why=str(error))
            return
        try:
            scope, reason = scope_of(spoken, self.agents)
        except ScopeError as error:
            self.log.warning("kill.refused", sender=heard.sender, why=str(error))
            return
        if spoken.signed is not None and not await self._first_use(spoken.signed):
            return
        await self.switch.kill(scope, f"{heard.sender} ({by})", str(heard.where), reason)

    async def _first_use(self, signed: Signed) -> bool:
        """A store that does not answer lets a kill pass: to stop twice is safe, not to is not."""
        try:
            async with asyncio.timeout(NONCE_WITHIN_S):
                return await first_use(self.store, signed)
        except (StorageError, TimeoutError) as error:
            self.log.warning("nonce.unknown", error=str(error))
            return True
