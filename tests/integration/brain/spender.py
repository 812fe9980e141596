"""A process that asks a model until it is killed: ``spender.py URL EPOCH``.

What the vendor bills goes out as one line a call, before the answer is given; ``asked`` goes out
when a request is on its way.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from brain.model import Completion, Conversation, Reader, Usage
from brain.models.provider import Key
from storage.store import Store
from tests.integration.brain.purse import Purse, conversation, day


async def main(url: str, epoch: int) -> None:
    purse = Purse(await Store.open(url))
    wallet = purse.wallet(day(10**9), epoch=epoch)
    numbers = count(1)

    async def answer(_c: Conversation, _k: Key | None, _r: Reader | None) -> Completion:
        print("asked", flush=True)
        number = next(numbers)
        await asyncio.sleep(0.001)
        print(1000 * number, flush=True)
        return Completion(text="Hello.", usage=Usage(input_tokens=number))

    model, _ = purse.metered(answer, wallet=wallet)
    while True:
        await model.query(conversation())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
