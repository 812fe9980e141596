"""However often its driver dies, a run ends as it must; the benchmark does a thousand of them."""

from __future__ import annotations

from storage.store import Store
from tests.integration.workflows.storm import storm


async def test_every_run_ends_as_it_must_while_its_driver_dies_again_and_again(
    store: Store,
) -> None:
    came = await storm(store, 25, seed=20261120, share=0.01)
    assert came.wrong == []
    assert came.crashes >= came.runs * 0.3
