"""The marts over the sample, on DuckDB and PostgreSQL, compared with the reader and aurum.core."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from built_models import Built
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.calendars import block_mask, default_blocks
from aurum.core.markettime import MARKETS, intervals_in_day, local_day
from aurum.core.series.model import Series
from aurum.pipelines.models.meaning import Family, Meaning, meaning_of
from aurum.pipelines.models.run import Verb
from aurum.pipelines.registry import default_registry
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.models import NodeKind, NodeStatus
from aurum.storage.ports.quality import CompletenessFilter

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.timeout(900),  # a build takes a quarter of a minute, on a busy machine many times that
]

MARTS = {
    "dim_block_hour",
    "dim_location",
    "dim_market_day",
    "dim_product",
    "dim_series",
    "fct_curve_settlements",
    "fct_curve_strips",
    "fct_drought_index",
    "fct_generation_mix_daily",
    "fct_lmp_block",
    "fct_lmp_daily",
    "fct_load_daily",
    "mart_completeness",
    "mart_curve_moves",
    "mart_series_latest",
    "mart_series_revisions",
}
FALL, SPRING = date(2025, 11, 2), date(2017, 3, 12)


async def series_meaning(built: Built, family: Family) -> list[tuple[Series, Meaning]]:
    """Return the stored series of a family that have a fixed step, with their meaning."""
    registry = default_registry()
    actual = await built.store.catalog.series_page(SeriesFilter(), after=None, limit=10_000)
    paired: list[tuple[Series, Meaning]] = []
    for series in actual:
        dataset = next(one for one in registry.source(series.key.source).datasets if one.name == series.key.dataset)
        declared = {measure.name: measure for measure in dataset.measures}.get(series.key.measure)
        meaning = None if declared is None else meaning_of(dataset, declared)
        if meaning is not None and meaning.family is family and series.spec.frequency.step is not None:
            paired.append((series, meaning))
    return paired


async def values(built: Built, series: Series) -> pl.DataFrame:
    """Return ``ts`` and ``value`` of a series; withdrawn values are null."""
    observed = await built.store.reader.observations(series.series_id, span=Span())
    return observed.select("ts", pl.col("value").fill_nan(None))


def same(actual: pl.DataFrame, expected: pl.DataFrame, key: list[str]) -> None:
    """Assert that two frames have the same rows and values, within the rounding error of sums."""
    assert_frame_equal(
        actual.select(expected.columns).sort(key),
        expected.sort(key),
        check_dtypes=False,
        check_exact=False,
        rel_tol=1e-9,
        abs_tol=1e-9,
    )


async def test_everything_is_built_and_every_test_holds(built: Built) -> None:
    built.report.raise_failure()
    models = {one.node for one in built.report.run.results if one.kind is NodeKind.MODEL}
    assert models >= MARTS
    assert {one.status for one in built.report.run.results} == {NodeStatus.OK}
    assert built.report.warnings == (), "dbt warns of nothing, deprecations included"
    kinds = {one.kind for one in built.report.run.results}
    assert kinds == {NodeKind.MODEL, NodeKind.SEED, NodeKind.TEST, NodeKind.UNIT_TEST}


async def test_daily_prices_are_means_of_the_readers_intervals(built: Built) -> None:
    parts: list[pl.DataFrame] = []
    for series, meaning in await series_meaning(built, Family.LMP):
        if meaning.role != "lmp":
            continue
        day = local_day(pl.col("ts"), series.spec.zone).alias("market_day")
        by_day = (
            (await values(built, series))
            .group_by(day)
            .agg(
                intervals_present=pl.col("value").count(),
                price_mean=pl.col("value").mean(),
                price_min=pl.col("value").min(),
                price_max=pl.col("value").max(),
            )
        )
        expected = [intervals_in_day(one, series.spec.zone, series.spec.frequency) for one in by_day["market_day"]]
        key = pl.lit(str(series.key)).alias("series_key")
        parts.append(by_day.with_columns(key, pl.Series("intervals_expected", expected)))
    expected = pl.concat(parts)
    actual = await built.rows("fct_lmp_daily")
    same(actual, expected, ["series_key", "market_day"])
    fall = actual.filter(pl.col("market_day") == FALL)
    assert set(fall["intervals_expected"]) == {25}
    assert set(fall["source"]) == {"ercot", "nyiso"}


async def test_components_are_beside_their_price_and_leave_little_of_it(built: Built) -> None:
    actual = (await built.rows("fct_lmp_daily")).filter(pl.col("source") == "nyiso")
    sums = actual["energy_mean"] + actual["congestion_mean"] + actual["loss_mean"]
    assert (sums - actual["price_mean"]).abs().max() < 1e-6
    assert actual["residual_max"].max() < 0.05


async def test_block_prices_are_means_over_the_hours_of_the_blocks_calendar(built: Built) -> None:
    parts: list[pl.DataFrame] = []
    for series, meaning in await series_meaning(built, Family.LMP):
        if meaning.role != "lmp" or series.spec.market is None:
            continue
        observed = await values(built, series)
        for block in default_blocks():
            if block.calendar != MARKETS[series.spec.market].calendar:
                continue
            day = local_day(pl.col("ts"), block.zone).alias("market_day")
            parts.append(
                observed.filter(block_mask(pl.col("ts"), block))
                .group_by(day)
                .agg(price_mean=pl.col("value").mean())
                .with_columns(series_key=pl.lit(str(series.key)), block=pl.lit(block.name))
            )
    actual = await built.rows("fct_lmp_block")
    same(actual, pl.concat(parts), ["series_key", "block", "market_day"])
    whole = actual.filter((pl.col("block") == "7x24") & (pl.col("market_day") == FALL) & (pl.col("source") == "nyiso"))
    assert (set(whole["hours_expected"]), set(whole["hours_present"])) == ({25}, {25.0})


async def test_load_and_generation_are_energy_of_their_intervals(built: Built) -> None:
    for family, table, role in (
        (Family.LOAD, "fct_load_daily", None),
        (Family.GENERATION, "fct_generation_mix_daily", "fuel"),
    ):
        parts: list[pl.DataFrame] = []
        for series, meaning in await series_meaning(built, family):
            if role not in (None, meaning.role):
                continue
            step = series.spec.frequency.step
            assert step is not None
            hours = 1.0 if series.spec.unit == "MWh" else step.total_seconds() / 3600
            day = local_day(pl.col("ts"), series.spec.zone).alias("market_day")
            parts.append(
                (await values(built, series))
                .group_by(day)
                .agg(energy_mwh=(pl.col("value") * hours).sum(), intervals_present=pl.col("value").count())
                .with_columns(series_key=pl.lit(str(series.key)))
            )
        actual = await built.rows(table)
        same(actual, pl.concat(parts), ["series_key", "market_day"])
        if table == "fct_generation_mix_daily":
            assert set(actual.filter(pl.col("market_day") == SPRING)["intervals_expected"]) == {23}
            shares = actual.group_by("source", "dataset", "location", "market_day").agg(pl.col("share").sum())
            assert (shares["share"] - 1).abs().max() < 1e-9


async def test_the_latest_value_is_the_readers_last_that_stands(built: Built) -> None:
    series = await built.store.catalog.series_page(SeriesFilter(), after=None, limit=10_000)
    keys = pl.DataFrame({"series_id": [one.series_id for one in series], "series_key": [str(one.key) for one in series]})
    observed = await built.store.reader.many(keys["series_id"].to_list(), span=Span())
    expected = (
        observed.filter(pl.col("value").is_not_nan())
        .sort("ts")
        .group_by("series_id", maintain_order=True)
        .last()
        .join(keys.cast({"series_id": pl.Int32}), on="series_id")
        .drop("series_id")
    )
    actual = await built.rows("mart_series_latest")
    assert actual.height == len(series)
    same(actual.drop_nulls("ts"), expected, ["series_key"])


async def test_days_and_blocks_are_those_of_core(built: Built) -> None:
    days = await built.rows("dim_market_day")
    newyork = days.filter(pl.col("zone") == "America/New_York")
    hours = dict(zip(newyork["market_day"], newyork["hours"], strict=True))
    assert (hours[FALL], hours[SPRING], hours[date(2025, 7, 4)]) == (25.0, 23.0, 24.0)
    assert newyork.filter(pl.col("market_day") == date(2025, 7, 4))["is_nerc_holiday"].item()
    fall = (await built.rows("dim_block_hour")).filter((pl.col("calendar") == "nyiso") & (pl.col("market_day") == FALL))
    assert dict(fall.group_by("block").len().iter_rows()) == {
        "7x24": 25,
        "7x16": 16,
        "2x16": 16,
        "7x8": 9,
        "OFF_PEAK": 25,
    }, "a Sunday: nothing is on-peak"


async def test_completeness_is_the_stores(built: Built) -> None:
    said = await built.store.quality.completeness_page(CompletenessFilter(), after=None, limit=10_000)
    expected = pl.DataFrame(
        [(one.key, one.day, one.expected, one.present, one.missing) for one in said],
        schema=["series_key", "market_day", "expected", "present", "missing"],
        orient="row",
    )
    same(await built.rows("mart_completeness"), expected, ["series_key", "market_day"])


async def test_drought_is_the_published_index(built: Built) -> None:
    actual = await built.rows("fct_drought_index")
    (series,) = await built.store.catalog.series_page(SeriesFilter(dataset="dsci"), after=None, limit=10)
    observed = await values(built, series)
    assert actual.sort("week_start")["dsci"].to_list() == observed["value"].to_list()
    assert actual["is_published"].all()


async def test_the_catalog_lists_every_model_with_its_lineage(built: Built) -> None:
    states = {one.entry.name: one for one in await built.runner.log.models()}
    prices = states["fct_lmp_daily"]
    assert prices.built is not None
    assert (prices.built.run_id, prices.built.result.status) == (built.report.run_id, NodeStatus.OK)
    assert ("nyiso", "damlbmp_zone") in prices.entry.datasets
    assert not {("nyiso", "pal"), ("drought_monitor", "dsci")} & set(prices.entry.datasets)
    assert ("drought_monitor", "dsci") in states["mart_series_latest"].entry.datasets
    assert states["dim_market_day"].entry.datasets == ()
    assert ("eex", "power_futures") not in states["mart_series_latest"].entry.datasets, "it has quotes, and no series"
    curves = [states[name].entry for name in ("dim_product", "fct_curve_settlements", "fct_curve_strips", "mart_curve_moves")]
    assert all(("eex", "power_futures") in one.datasets and ("nyiso", "pal") not in one.datasets for one in curves)
    assert curves[2].tables == ("store.delivery_period", "store.product", "store.quote", "store.strip_part")
    assert len(prices.tests) >= 5
    assert {column["type"] for column in prices.entry.columns if column["name"] == "price_mean"} == {"double precision"}


async def test_freshness_of_the_store_is_on_record(built: Built) -> None:
    report = await built.run(Verb.FRESHNESS)
    assert {one.table: one.status for one in report.run.freshness} == {
        "store.ingest_file": NodeStatus.OK,
        "store.observation": NodeStatus.OK,
        "store.series": NodeStatus.OK,
    }
    state = next(one for one in await built.runner.log.models(name="fct_lmp_daily"))
    assert {one.table for one in state.freshness} == {"store.observation", "store.series"}
    assert len(state.tests) >= 5, "what is known of its tests stays known"
