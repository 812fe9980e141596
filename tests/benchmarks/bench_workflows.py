"""A thousand runs of ten steps while their driver dies again and again: does each end as it must?

The doers follow a script; store, lease, rules and driver are the swarm's own. A crash ends the
driver at a single thing that it does, before or after it; another one takes over. What real signals
do is tested by tests/integration/workflows/test_workflow_kills.py.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from pathlib import Path

import structlog

from storage.migrate import upgrade
from storage.store import Store
from tests.benchmarks.figures import at_least, at_most, progress, report
from tests.integration.workflows.storm import STEPS, storm

NAME = "workflows"
RUNS = 1_000
SEED = 20_261_120
#: chance that the driver dies at any single thing it does: more crashes than a third of the runs
SHARE = 0.01


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for runs, share in ((RUNS, SHARE), (RUNS // 10, 0.0)):
        folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
        try:
            store = await Store.open(f"sqlite:///{folder / 'parley.sqlite'}")
            await upgrade(store, folder / "upgrade.lock")
            try:
                await measure(store, runs, share)
            finally:
                await store.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def measure(store: Store, runs: int, share: float) -> None:
    progress(f"{runs} runs of {STEPS} steps, the driver dies with a chance of {share:g} ...")
    began_s = time.monotonic()
    came = await storm(store, runs, seed=SEED, share=share)
    took_s = time.monotonic() - began_s
    right = runs - len({why.partition(":")[0] for why in came.wrong})
    if share:
        note = "; ".join(came.wrong[:3])
        figure = f"runs of {runs} that ended in their right state"
        report(NAME, figure, right, "runs", target=at_least(runs), note=note)
        report(NAME, "things done twice or too early", len(came.wrong), "", target=at_most(0))
        share_of = f"crashes in {runs} runs"
        report(NAME, share_of, came.crashes, "crashes", target=at_least(0.3 * runs))
    note = f"{came.crashes} crashes" if share else "no crash"
    report(NAME, f"{STEPS} steps stored, done and audited", took_s / runs * 1000, "ms", note=note)


if __name__ == "__main__":
    asyncio.run(main())
