"""An engine that was made before its file was known."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from storage.engine import make_engine, prepare
from storage.store import Store


async def test_the_next_store_of_an_agent_is_the_prepared_one_on_its_own_file(
    tmp_path: Path,
) -> None:
    asked = sa.select(sa.literal(41) + 1)
    prepared = prepare()
    with prepared.connect() as connection:
        assert connection.execute(asked).scalar() == 42
    prepared.dispose()
    compiled = len(prepared._compiled_cache or ())
    assert compiled

    url = f"sqlite:///{tmp_path / 'parley.sqlite'}"
    # Who keeps another number of connections is no agent.
    other = await Store.open(url, connections=3)
    await other.close()
    store = await Store.open(url, connections=2)
    assert str(store.url) == url
    async with store.writing() as unit:
        await unit.execute(sa.text("CREATE TABLE met (name TEXT)"))
        await unit.execute(sa.text("INSERT INTO met VALUES ('ada')"))
        assert (await unit.execute(asked)).scalar() == 42
        assert unit.connection.engine is prepared
        modes = [
            (await unit.execute(sa.text(f"PRAGMA {what}"))).scalar()
            for what in ("journal_mode", "foreign_keys")
        ]
        assert modes == ["wal", 1]
    await store.close()

    # There was one; whoever comes after it makes his own.
    again = make_engine(url, connections=2)
    assert again is not prepared
    with again.connect() as connection:
        assert connection.execute(sa.text("SELECT name FROM met")).scalar() == "ada"
    again.dispose()
