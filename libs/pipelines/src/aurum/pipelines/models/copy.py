"""Copies the changed rows of the store's tables into the DuckDB file in which the models are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aurum.core.calendars import Block
from aurum.pipelines.models.calendar import calendar_frames
from aurum.pipelines.models.delivery import read_deliveries
from aurum.storage.ports.model_inputs import Bulk, CopyWriter, StoreCopy, StoreExport, StoreSnapshot


@dataclass(frozen=True, slots=True)
class CopyCounts:
    """The number of series in the store, and how many of them had changed and were copied."""

    series: int
    changed: int


async def refresh_copy(store: StoreExport, copy: StoreCopy, blocks: Sequence[Block]) -> CopyCounts:
    """Bring the copy up to date with one snapshot of the store. Raises ``Unavailable``.

    A series whose version differs from that in the copy is copied completely. The version shows a change because it rises in
    the same transaction; the known time does not, because it may lie anywhere in the past.
    """
    async with store.snapshot() as snapshot:
        series = await snapshot.series()
        with copy.writing() as writer:
            known = writer.known()
            same = series.join(known, on=["series_id", "key", "version"], how="semi")
            changed = series.join(same, on="series_id", how="anti")["series_id"]
            gone = known.join(series, on="series_id", how="anti")["series_id"]
            # When every series has changed, one scan of the whole tables is faster than a selection.
            chosen = None if same.is_empty() else changed.to_list()
            writer.forget(None if chosen is None else [*chosen, *gone])
            for table in Bulk:
                if not changed.is_empty():
                    await snapshot.rows(table, chosen, partial(writer.append, table))
            await _copy_curves(snapshot, writer, blocks)
            calendar = calendar_frames(series, blocks)
            for name, rows in (
                ("series", series),
                ("dataset", await snapshot.datasets()),
                ("ingest_file", await snapshot.files()),
                ("market_day", calendar.days),
                ("block_hour", calendar.hours),
            ):
                writer.replace(name, rows)
    return CopyCounts(series.height, len(changed))


async def _copy_curves(snapshot: StoreSnapshot, writer: CopyWriter, blocks: Sequence[Block]) -> None:
    """Copy the products, and the quotes of those whose version differs from that in the copy."""
    products = await snapshot.products()
    known = writer.known_products()
    same = products.join(known, on=["curve_id", "key", "version"], how="semi")
    changed = products.join(same, on="curve_id", how="anti")["curve_id"].to_list()
    gone = known.join(products, on="curve_id", how="anti")["curve_id"].to_list()
    writer.forget_quotes([*changed, *gone])
    if changed:
        await snapshot.quotes(changed, writer.append_quotes)
    deliveries = await read_deliveries(snapshot, products, blocks)
    for name, rows in (("product", products), ("delivery_period", deliveries.periods), ("strip_part", deliveries.parts)):
        writer.replace(name, rows)
