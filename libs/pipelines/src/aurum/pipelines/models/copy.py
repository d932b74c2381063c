"""The store's tables brought into the file that models are built in, as far as they have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aurum.core.calendars import Block
from aurum.pipelines.models.calendar import calendar_frames
from aurum.storage.ports.model_inputs import Bulk, StoreCopy, StoreExport


@dataclass(frozen=True, slots=True)
class Copied:
    """How many series there are, and how many of them were copied anew."""

    series: int
    changed: int


async def refresh_copy(store: StoreExport, copy: StoreCopy, blocks: Sequence[Block]) -> Copied:
    """Make the copy say what the store says, all of one moment. Raises ``Unavailable``.

    A series is copied when its version is not the one the copy has, and then as a whole: versions rise with each change in the
    transaction that makes it, while a known time may lie anywhere in the past.
    """
    async with store.snapshot() as snapshot:
        series = await snapshot.series()
        with copy.writing() as writer:
            known = writer.known()
            same = series.join(known, on=["series_id", "key", "version"], how="semi")
            changed = series.join(same, on="series_id", how="anti")["series_id"]
            gone = known.join(series, on="series_id", how="anti")["series_id"]
            # Nothing to keep: one scan of the whole tables is the quicker way.
            chosen = None if same.is_empty() else changed.to_list()
            writer.forget(None if chosen is None else [*chosen, *gone])
            for table in Bulk:
                if not changed.is_empty():
                    await snapshot.rows(table, chosen, partial(writer.append, table))
            calendar = calendar_frames(series, blocks)
            for name, rows in (
                ("series", series),
                ("dataset", await snapshot.datasets()),
                ("ingest_file", await snapshot.files()),
                ("market_day", calendar.days),
                ("block_hour", calendar.hours),
            ):
                writer.replace(name, rows)
    return Copied(series.height, len(changed))
