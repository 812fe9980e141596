"""A kill spoken on IRC: carried out by whoever hears it, ahead of store, queue and model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from bots.commands.parse import Spoken
from bots.commands.steering import scope_of
from bots.control.operators import Evidence, NotAnOperator, Operators
from bots.control.signatures import Signed
from bots.control.switch import KillSwitch
from bots.messages import Heard
from storage import nonces
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
            by = self.operators.vouch(Evidence(heard.account, spoken.signed))
        except NotAnOperator as error:
            self.log.warning("kill.refused", sender=heard.sender, why=str(error))
            return
        if spoken.signed is not None and not await self.first_use(spoken.signed):
            return
        scope, reason = scope_of(spoken, self.agents)
        await self.switch.kill(scope, f"{heard.sender} ({by})", str(heard.where), reason)

    async def first_use(self, signed: Signed) -> bool:
        """False when the signature was used before. A store that does not answer lets a kill pass:
        stopping twice is safe, not stopping is not.
        """
        try:
            async with asyncio.timeout(NONCE_WITHIN_S), self.store.writing() as unit:
                return await nonces.use(
                    unit, signed.nonce, expires_at=signed.expires_at, now=self.operators.clock()
                )
        except (StorageError, TimeoutError) as error:
            self.log.warning("nonce.unknown", error=str(error))
            return True
