"""The bases of known times: who vouches for the time since which a value has been known."""

from __future__ import annotations

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import InvalidParameters
from aurum.services.observations import Reading
from aurum.services.observations.bases import with_bases
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.observations import RuleDated
from aurum.storage.testing.builders import KEY, day, file_load
from aurum.storage.testing.stores import PostgresStore, Store, series_named


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


async def bases(store: MemoryStore | PostgresStore) -> list[tuple[float, str]]:
    """Return value and basis of every revision of the series."""
    reading = Reading(store.catalog, store.reader, files=store.files)
    series = await series_named(store, KEY)
    frame = await with_bases(reading, series, await store.reader.revisions(series.series_id, span=Span()))
    return frame.select("value", "known_at_basis").rows()


async def test_each_revision_names_the_basis_of_its_known_time(store: MemoryStore | PostgresStore) -> None:
    by_rule = file_load([(0, 1, 1.0), (1, None, 5.0)], rule=RuleDated(), basis=KnownAtBasis.INGESTED)
    await store.loader.load(by_rule)
    await store.loader.load(file_load([(0, None, 2.0)], basis=KnownAtBasis.STATED, known_at=day(2)))
    await store.loader.load(file_load([(0, None, 3.5, 0, -1), (0, None, 3.0)], known_at=day(3)))
    assert await bases(store) == [
        (1.0, "scheduled"),
        (2.0, "stated"),
        (3.5, "published"),
        (3.0, "published"),
        (5.0, "ingested"),
    ]


async def test_each_vintage_of_an_answer_is_published(store: MemoryStore | PostgresStore) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (0, 2, 2.0), (1, 2, 5.0)]))
    assert await bases(store) == [(1.0, "published"), (2.0, "published"), (5.0, "published")]


async def test_the_strongest_of_several_files_counts(store: MemoryStore | PostgresStore) -> None:
    await store.loader.load(file_load([(0, None, 1.0)], basis=KnownAtBasis.STATED, known_at=day(2), digest="a"))
    await store.loader.load(file_load([(0, None, 1.0)], basis=KnownAtBasis.PUBLISHED, known_at=day(2), digest="b"), force=True)
    assert await bases(store) == [(1.0, "published")]


async def test_without_records_of_files_the_parameter_is_refused() -> None:
    store = MemoryStore(SystemClock())
    await store.loader.load(file_load([(0, 1, 1.0)]))
    series = await series_named(store, KEY)
    with pytest.raises(InvalidParameters, match="basis"):
        await with_bases(Reading(store.catalog, store.reader), series, pl.DataFrame())
