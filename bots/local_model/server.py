"""The engine, behind its own HTTP server: chat completions as OpenAI's, on loopback only."""

from __future__ import annotations

import asyncio
import errno
from types import TracebackType
from typing import Any, Self

import xllamacpp

from bots.local_model.packages import weights
from bots.private_file import Listening
from brain.models.packaged import CONTEXT_TOKENS, MODEL

#: answers that are made side by side; a third waits for its turn
_SLOTS = 2
#: tokens read between two looks at whether the asker is still there: about half a second
_BATCH_TOKENS = 128
#: 1: errors. More would write people's words into the log.
_VERBOSITY = 1
#: what the model's authors advise; a higher one makes so small a model ramble
_TEMPERATURE = 0.2
_TOP_P = 0.9
#: without this it says one sentence until it is stopped; over so many tokens back
_REPEAT_PENALTY, _LOOKS_BACK = 1.15, 128


class Server:
    """One model in memory, from `__aenter__` to `__aexit__`."""

    def __init__(self, config: Listening) -> None:
        self.port = config.port
        self._engine: Any = None

    async def __aenter__(self) -> Self:
        """Load the model and listen; raises `OSError` when that cannot be done."""
        parameters = _parameters(self.port)
        try:
            self._engine = await asyncio.to_thread(xllamacpp.Server, parameters)
        except RuntimeError:
            # The engine has written why to stderr; most often it is the port.
            raise OSError(errno.EADDRINUSE, "in use, or the model cannot be loaded") from None
        self.port = int(self._engine.listening_address.rpartition(":")[2])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Its destructor ends the server and gives the memory back.
        self._engine = None


def _parameters(port: int) -> Any:
    made = xllamacpp.CommonParams()
    made.model.path = str(weights())
    made.model_alias = {MODEL}
    made.port = port
    # One thread: the agents need the other cores, and a second one would spin while it waits.
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = 1
    made.n_threads_http = _SLOTS + 2
    made.n_parallel = _SLOTS
    made.n_ctx = CONTEXT_TOKENS * _SLOTS
    made.n_batch = made.n_ubatch = _BATCH_TOKENS
    # No copies of old conversations besides the ones in the slots.
    made.cache_ram_mib = made.n_ctx_checkpoints = 0
    made.sampling.temp, made.sampling.top_p = _TEMPERATURE, _TOP_P
    made.sampling.penalty_repeat, made.sampling.penalty_last_n = _REPEAT_PENALTY, _LOOKS_BACK
    made.verbosity = _VERBOSITY
    # Nobody may read others' conversations from the slots, and no web page may ask at all.
    made.endpoint_slots = made.ui = False
    made.cors_origins = f"http://127.0.0.1:{port}"
    return made


def build(config: Listening) -> Server:
    """The server that `config` describes, not yet listening."""
    return Server(config)
