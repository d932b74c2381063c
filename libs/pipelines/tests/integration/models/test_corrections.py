"""Late corrections: an incremental run gives the same as a full one, and writes only the days that changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from built_models import Built
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.models.run import Verb
from aurum.pipelines.source import SourceFile
from aurum.storage.testing.builders import file_load

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.timeout(900),  # a build takes a quarter of a minute, on a busy machine many times that
]

NAN = float("nan")
KEYS = {
    "fct_lmp_daily": ["series_key", "market_day"],
    "fct_lmp_block": ["series_key", "block", "market_day"],
    "fct_load_daily": ["series_key", "market_day"],
    "fct_generation_mix_daily": ["series_key", "market_day"],
    "mart_completeness": ["series_key", "market_day"],
    "mart_series_latest": ["series_key"],
    "mart_series_revisions": ["series_key", "ts", "revision"],
}
CORRECTED = "nyiso:damlbmp_zone:61761:lmp"
GONE = "caiso:sld_fcst_rtpd:CA ISO-TAC:load_forecast"
SELECTED = ("marts",)


def corrected() -> list[SourceFile]:
    """Return two sample files with other numbers: a day of prices, and a part of a day of generation."""
    files = {path.name: path.read_text() for path in sample_files() if path.suffix == ".csv"}
    prices = files["20251102damlbmp_zone.csv"].replace("52.59", "152.59")
    mix = files["20171122rtfuelmix.csv"].replace("11/22/2017 00:05:00,EST,Wind,", "11/22/2017 00:05:00,EST,Wind,9")
    assert prices != files["20251102damlbmp_zone.csv"]
    assert mix != files["20171122rtfuelmix.csv"]
    return [SourceFile("20251102damlbmp_zone.csv", prices.encode()), SourceFile("20171122rtfuelmix.csv", mix.encode())]


async def withdraw_everything(built: Built, key: str) -> None:
    """Withdraw all values of a series."""
    (series,) = (await built.store.catalog.series_by_key([key])).values()
    current = await built.store.reader.observations(series.series_id, span=Span())
    load = file_load(
        [(0, 1, NAN, int(Quality.WITHDRAWN))], key=key, unit=series.spec.unit, frequency=str(series.spec.frequency)
    )
    rows = current.select(
        pl.lit(0, pl.UInt32).alias("series"),
        "ts",
        pl.lit(NAN).alias("value"),
        pl.lit(int(Quality.WITHDRAWN), pl.Int16).alias("quality"),
        pl.col("known_at") + pl.duration(days=1),
        pl.lit(0, pl.Int16).alias("version"),
    )
    series_row = load.parts[0].series.with_columns(market=pl.lit(series.spec.market), zone=pl.lit(series.spec.zone))
    part = replace(load.parts[0], series=series_row, rows=rows)
    await built.store.loader.load(replace(load, parts=[part]))


async def test_an_incremental_run_after_a_correction_equals_a_full_one(built: Built) -> None:
    before = {table: await built.rows(table) for table in KEYS}
    assert before["mart_series_revisions"].is_empty()
    await built.ingest(corrected(), KnownAtPolicy(KnownAtChoice.NOW))
    await withdraw_everything(built, GONE)
    (await built.run(Verb.RUN, *SELECTED)).raise_failure()
    incremental = {table: (await built.rows(table)).sort(key) for table, key in KEYS.items()}
    (await built.run(Verb.RUN, *SELECTED, full_refresh=True)).raise_failure()
    for table, key in KEYS.items():
        full = (await built.rows(table)).sort(key)
        # The version in a row depends on when it was written, so it may differ between the runs.
        assert_frame_equal(
            incremental[table].drop("series_version"),
            full.drop("series_version"),
            check_exact=False,
            rel_tol=1e-12,
            abs_tol=1e-9,
        )
        assert not full.is_empty()

    prices = incremental["fct_lmp_daily"].filter(pl.col("series_key") == CORRECTED)
    old = before["fct_lmp_daily"].filter(pl.col("series_key") == CORRECTED)
    versions = {row["market_day"]: row["series_version"] for row in prices.to_dicts()}
    changed = [day for day, version in versions.items() if version > old["series_version"].max()]
    assert changed == [date(2025, 11, 2)], "the other days of the series stand as they were written"

    latest = incremental["mart_series_latest"].filter(pl.col("series_key") == GONE)
    assert latest.select("ts", "value").row(0) == (None, None)

    revisions = incremental["mart_series_revisions"].filter(pl.col("series_key") == CORRECTED)
    (series,) = (await built.store.catalog.series_by_key([CORRECTED])).values()
    said = await built.store.reader.revisions(series.series_id, span=Span())
    several = said.filter(pl.len().over("ts") > 1)
    assert revisions["value"].to_list() == several["value"].to_list() == [52.59, 152.59]
    assert revisions["is_current"].to_list() == [False, True]
    assert revisions["change"].to_list()[1] == 100.0
