"""Streams: the answer of ``many`` in batches."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.frames import FILE_ROWS, UTC_US, conform
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.files import FileLoad
from aurum.storage.testing.builders import day, file_load, hour, together
from aurum.storage.testing.stores import Store

KEYS = [f"invented:numbers:{name}:value" for name in ("A", "B", "C")]


@pytest.fixture
def lengths(store: Store) -> tuple[int, ...]:
    """Numbers of points: together more than one batch of the adapter, with a border of batches inside a series."""
    return (500, 800, 3) if isinstance(store, MemoryStore) else (30_000, 40_000, 3)


def long_file(lengths: tuple[int, ...]) -> FileLoad:
    parts = [file_load([], key=key, frequency="1min") for key in KEYS]
    rows = [
        pl.DataFrame(
            {"series": [number] * length, "offset": range(length)}, schema={"series": pl.UInt32, "offset": pl.Int64}
        ).select(
            "series",
            (pl.lit(hour(0)) + pl.duration(minutes="offset")).dt.cast_time_unit("us").alias("ts"),
            (pl.col("offset") / 7).alias("value"),
            pl.lit(0, pl.Int16).alias("quality"),
            pl.lit(day(0), UTC_US).alias("known_at"),
            pl.lit(0, pl.Int16).alias("version"),
        )
        for number, length in enumerate(lengths)
    ]
    whole = together(*parts)
    part = replace(whole.parts[0], rows=conform(pl.concat(rows), FILE_ROWS))
    return replace(whole, record=replace(whole.record, rows_read=sum(lengths)), parts=[part])


async def test_a_stream_is_many_in_batches_of_bounded_size(store: Store, lengths: tuple[int, ...]) -> None:
    await store.loader.load(long_file(lengths))
    stored = await store.catalog.series_by_key(KEYS)
    ids = [stored[key].series_id for key in KEYS]
    for as_of in (None, day(0), day(1)):
        batches = [batch async for batch in store.reader.stream(ids, span=Span(), as_of=as_of)]
        assert len(batches) > 1
        assert max(batch.height for batch in batches) < sum(lengths)
        assert min(batch.height for batch in batches) > 0
        whole = await store.reader.many(ids, span=Span(), as_of=as_of)
        assert_frame_equal(pl.concat(batches), whole)
        assert whole.group_by("series_id", maintain_order=True).len()["len"].to_list() == [
            length for _, length in sorted(zip(ids, lengths, strict=True))
        ]


async def test_a_stream_shows_one_snapshot_though_a_load_comes_between_its_batches(
    store: Store, lengths: tuple[int, ...]
) -> None:
    await store.loader.load(long_file(lengths))
    stored = await store.catalog.series_by_key(KEYS)
    ids = [stored[key].series_id for key in KEYS]
    before = await store.reader.many(ids, span=Span())
    batches: list[pl.DataFrame] = []
    async for batch in store.reader.stream(ids, span=Span()):
        if not batches:
            last = KEYS[-1]
            await store.loader.load(file_load([(0, 1, 999.0), (500, 1, 1.0)], key=last, frequency="1min"))
        batches.append(batch)
    assert_frame_equal(pl.concat(batches), before)
    assert (await store.reader.many(ids, span=Span())).height == before.height + 1
