"""Saying things: paced, one utterance after the other, and waiting for the server's proof."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence

from bots.irc.config import IrcConfig
from bots.irc.line import Line
from bots.irc.proofs import Proofs, Utterance
from bots.irc.wire import Wire
from bots.messages import Delivery, Target
from bots.pacing import TokenBucket


class Speech:
    """One connection's mouth. `enabled` holds the capabilities in use."""

    def __init__(
        self,
        config: IrcConfig,
        wire: Wire,
        proofs: Proofs,
        *,
        enabled: Collection[str],
        rng: random.Random,
    ) -> None:
        self._config = config
        self._wire = wire
        self._proofs = proofs
        self._enabled = enabled
        # tokens of an earlier connection or of another client must not match ours
        self._prefix = f"{rng.getrandbits(32):08x}"
        self._count = 0
        self._bucket = TokenBucket(config.burst, config.lines_per_s, now_s=wire.now_s())
        self._turn = asyncio.Lock()

    async def say(
        self, target: Target, parts: Sequence[str], veto: Callable[[], str]
    ) -> list[Delivery]:
        """One `Delivery` for each part, in order; `unknown` after `proof_s` without an answer.

        `veto` is asked right before each line is written.
        """
        utterance = Utterance(
            target=target,
            parts=tuple(parts),
            token=self._new_token(),
            echoed="echo-message" in self._enabled,
            done=self._wire.future(),
        )
        async with self._turn:
            self._proofs.expect(utterance)
            try:
                await self._write(utterance, veto)
            finally:  # also when cancelled between two parts: what was written gets its fence
                self._give_up_unwritten(utterance)
                self._wire.send(f"PING :{utterance.token}")
        await asyncio.wait({utterance.done}, timeout=self._config.proof_s)
        silence = Delivery(
            sent=False, proof=f"no answer within {self._config.proof_s:g} s", unknown=True
        )
        return [delivery or silence for delivery in utterance.deliveries]

    async def pace(self) -> None:
        """Wait for the turn of one more line."""
        wait_s = self._bucket.reserve(self._wire.now_s())
        if wait_s:
            await asyncio.sleep(wait_s)

    def read(self, line: Line, *, own: bool) -> None:
        self._proofs.read(line, own=own)

    async def _write(self, utterance: Utterance, veto: Callable[[], str]) -> None:
        for at, part in enumerate(utterance.parts):
            await self.pace()
            if why := veto():
                for unwritten in range(at, len(utterance.parts)):
                    utterance.settle(unwritten, Delivery(sent=False, proof=why))
                return
            if not self._wire.is_up or utterance.deliveries[at] is not None:
                return
            label = self._label(utterance, at)
            utterance.written = at + 1
            self._wire.send(f"{label}PRIVMSG {utterance.target.name} :{part}")

    def _label(self, utterance: Utterance, at: int) -> str:
        if not {"labeled-response", "batch"} <= set(self._enabled):
            return ""
        label = self._new_token()
        utterance.labels[label] = at
        return f"@label={label} "

    def _give_up_unwritten(self, utterance: Utterance) -> None:
        for at in utterance.undecided():
            if at >= utterance.written:
                utterance.settle(at, Delivery(sent=False, proof="it was not sent", unsaid=True))

    def _new_token(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"
