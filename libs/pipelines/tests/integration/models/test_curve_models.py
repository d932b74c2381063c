"""The models of curves over the exchange's own files, on DuckDB and PostgreSQL, compared with core and with oracles."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import pytest_asyncio
from built_models import Built, new_store, over
from polars.testing import assert_frame_equal

from aurum.common.contracts import contracts_directory
from aurum.common.settings import DbtSettings
from aurum.core.curves.calendars import hours, parse_delivery_calendar
from aurum.core.curves.diff import diff_quotes
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.strips import strip_history
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.models.project import project_directory
from aurum.pipelines.models.run import Invocation, Verb
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.models import NodeStatus
from aurum.storage.testing.curves import BY, add_product, quotes_file

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.timeout(900),  # a build takes a quarter of a minute, on a busy machine many times that
]
real = pytest.mark.needs_real_files

DE = "power:DE:base:EEX"
CURVES = "+marts.curves"
SHARED = Path(__file__).resolve().parents[6] / "shared"
EEX = SHARED / "data" / "forward" / "eex"
QUARTERS = 2114
"""Pairs of a trade date and a quarter, where the exchange has settled both the quarter and its three months."""


DESK = "trade_date,product,period,settle,bid,ask\n"


@asynccontextmanager
async def curve_models(
    server: EmbeddedPostgres, template: str, target: str, folder: Path, documents: Sequence[SourceFile]
) -> AsyncGenerator[Built]:
    """Load files into a new store with the shipped products, and build the models of curves over it."""
    async with new_store(server, template) as store:
        registry = default_registry()
        await declare_catalog(registry, store.catalog_writer)
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.declare(default_products())
        ingestion = Ingestion(
            registry=registry,
            suites=read_suites(contracts_directory(None) / "expectations"),
            loader=store.loader,
            raw_files=RawFiles(folder / "kept"),
        )

        async def ingest(documents: Sequence[SourceFile], known_at: KnownAtPolicy | None = None) -> None:
            reports = [report async for report in ingestion.ingest_all(documents, known_at=known_at)]
            assert [report.outcome for report in reports] == [FileOutcome.APPLIED] * len(documents)

        await ingest(documents)
        settings = DbtSettings.model_validate({"target": target})
        runner = over(store, settings, project_directory(None), folder / "warehouse")
        yield Built(store, runner, await runner.run(Invocation(Verb.BUILD, (CURVES,))), ingest)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def forward(
    postgres_server: EmbeddedPostgres, migrated_template: str, target: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Built]:
    """The models over the settlements of the exchange, on each engine."""
    if not EEX.is_dir():
        pytest.skip(f"no real files: {EEX} does not exist")
    files = [SourceFile(path.name, path.read_bytes()) for path in sorted(EEX.glob("EEX_POWER_FUT_*.csv"))]
    async with curve_models(postgres_server, migrated_template, target, tmp_path_factory.mktemp("forward"), files) as built:
        yield built


async def quotes_of(built: Built) -> pl.DataFrame:
    """Return the quotes in force of the base curve from the store, in the order of quotes."""
    product = await built.store.curves.product(DE, tenant=None)
    return await built.store.curves.quotes([product.curve_id], QuoteSpan())


@real
async def test_every_model_is_built_and_every_test_holds(forward: Built) -> None:
    forward.report.raise_failure()
    assert {one.status for one in forward.report.run.results} == {NodeStatus.OK}
    assert forward.report.warnings == ()
    built = {one.node for one in forward.report.run.results}
    assert built >= {"dim_product", "fct_curve_settlements", "fct_curve_strips", "mart_curve_moves"}


@real
async def test_a_quarters_settlement_is_the_average_of_its_months_rounded_to_the_tick(forward: Built) -> None:
    strips = await forward.rows("fct_curve_strips")
    quarters = strips.filter((pl.col("period_kind") == "quarter") & (pl.col("parts") == 3)).drop_nulls(["value", "quoted"])
    assert quarters.height == QUARTERS
    assert quarters["is_equal"].all()
    assert quarters["value_rounded"].equals(quarters["quoted"].round(2))
    assert quarters["difference"].abs().max() == pytest.approx(0.004441, abs=1e-6)
    assert quarters["trade_date"].n_unique() == 918
    (first,) = quarters.filter(pl.col("trade_date") == date(2024, 10, 14), pl.col("period_label") == "Q1-25").to_dicts()
    assert first["value"] == pytest.approx(98.310250, abs=5e-7)
    assert (first["hours"], first["quoted"], first["coverage"]) == (2159, 98.31, 1)
    (year,) = strips.filter(pl.col("trade_date") == date(2024, 10, 14), pl.col("period_label") == "2025").to_dicts()
    assert (year["parts"], year["quoted"], year["is_equal"]) == (4, None, None)
    assert year["value"] == pytest.approx(90.119424, abs=5e-7)


@real
async def test_strips_are_those_of_core_on_every_trade_date(forward: Built) -> None:
    calendar = parse_delivery_calendar("eu_power")
    quotes = (await quotes_of(forward)).select("trade_date", "delivery_start", "delivery_end", price="settle")
    strips = await forward.rows("fct_curve_strips")
    spans = strips.select("delivery_start", "delivery_end", "period_label").unique().sort("delivery_start", "delivery_end")
    for first, end, label in spans.rows():
        period = Period(label, PeriodKind.CUSTOM, first, end)
        expected = strip_history(quotes, period, weight=lambda a, b: hours(calendar, a, b))
        finer = expected.filter(pl.col("method") == "from_finer").select("trade_date", expected="value")
        actual = strips.filter(pl.col("delivery_start") == first, pl.col("delivery_end") == end).drop_nulls("value")
        both = actual.join(finer, on="trade_date", how="full", coalesce=True)
        assert both.null_count().select("value", "expected").row(0) == (0, 0), label
        assert both.filter((pl.col("value") - pl.col("expected")).abs() > 1e-9).is_empty(), label
    assert strips.filter(pl.col("coverage") < 1)["value"].null_count() == strips.filter(pl.col("coverage") < 1).height


@real
async def test_moves_are_those_of_the_diff(forward: Built) -> None:
    quotes = (await quotes_of(forward)).with_columns(curve=pl.lit(DE), price="settle")
    moves = await forward.rows("mart_curve_moves")
    dates = quotes["trade_date"].unique().sort().to_list()
    assert sorted(moves["trade_date"].unique()) == dates[1:]
    for a, b in [*list(pairwise(dates))[::40], (date(2024, 10, 11), date(2024, 10, 14))]:
        expected = diff_quotes(*(quotes.filter(pl.col("trade_date") == day) for day in (a, b)))
        actual = moves.filter(pl.col("trade_date") == b).sort("delivery_start", "delivery_end")
        expected = expected.sort("delivery_start", "delivery_end")
        assert set(actual["previous_trade_date"]) == {a}
        assert actual["status"].to_list() == expected["status"].cast(pl.String).to_list()
        for name, there in (("previous_settle", "a"), ("settle", "b"), ("move", "move"), ("relative_move", "relative")):
            assert actual[name].to_list() == [None if one is None else pytest.approx(one, rel=1e-12) for one in expected[there]]
    assert set(moves["status"]) == {"both", "listed", "expired", "unpriced"}


@real
async def test_the_greatest_moves_of_a_day_are_those_of_the_oracle(forward: Built) -> None:
    oracles: Sequence[dict[str, Any]] = json.loads((SHARED / "design" / "quant" / "give.json").read_text())
    group = next(one["expected"] for one in oracles if one["id"] == "F")
    moves = (await forward.rows("mart_curve_moves")).filter(pl.col("trade_date") == date(2024, 10, 14))
    for kind, name in (("month", "M"), ("quarter", "Q")):
        expected = group[f"F6 diff {name} 2024-10-11->2024-10-14"]
        largest = moves.filter(pl.col("period_kind") == kind).sort(
            [pl.col("move").abs(), "delivery_start"], descending=[True, False], nulls_last=[True, False]
        )
        assert largest["delivery_start"].cast(pl.String).to_list()[: len(expected)] == [row["Begin"] for row in expected]
        numbers = [None if row["d"] == "None" else pytest.approx(float(row["d"]), rel=1e-9) for row in expected]
        assert largest["move"].to_list()[: len(expected)] == numbers


@real
async def test_settlements_are_the_stores_with_the_hours_of_core(forward: Built) -> None:
    calendar = parse_delivery_calendar("eu_power")
    key = ["trade_date", "delivery_start", "delivery_end"]
    quotes = (await quotes_of(forward)).sort(key)
    rows = (await forward.rows("fct_curve_settlements")).sort(key)
    for name in (*key, "settle", "volume_mwh", "open_interest", "known_at"):
        assert rows[name].to_list() == quotes[name].to_list(), name
    spans = rows.select("delivery_start", "delivery_end", "hours", "starts_at", "ends_at").unique()
    for first, end, counted, starts_at, ends_at in spans.rows():
        assert counted == hours(calendar, first, end)
        assert (starts_at, ends_at) == calendar.bounds(first, end)
    by_label = dict(rows.select("period_label", "hours").unique().rows())
    assert (by_label["Mar-25"], by_label["Oct-24"], by_label["Q4-25"], by_label["W43-24"]) == (743, 745, 2209, 169)
    (one,) = rows.filter(pl.col("trade_date") == date(2024, 10, 10), pl.col("period_label") == "Nov-24").to_dicts()
    assert one["previous_trade_date"] == date(2024, 10, 3)


@real
async def test_a_broken_strip_fails_the_standing_check_and_a_correction_heals_it(forward: Built) -> None:
    text = next(EEX.glob("EEX_POWER_FUT_DE_BASE_Q_*.csv")).read_text()
    header = text.splitlines()[0]
    begin, end = "2025-01-01T00:00:00.000+0100", "2025-04-01T00:00:00.000+0200"
    (line,) = [one for one in text.splitlines() if f"2024-10-14T00:00:00.000+0200;{begin};{end};" in one]
    name, at = "EEX_POWER_FUT_DE_BASE_Q_2024.csv", KnownAtPolicy(KnownAtChoice.NOW)
    assert ";98,31;" in line
    await forward.ingest([SourceFile(name, f"{header}\n{line.replace(';98,31;', ';98,33;')}\n".encode())], at)
    broken = await forward.run(Verb.BUILD, CURVES)
    failed = {one.node: one.failures for one in broken.failed}
    assert [count for node, count in failed.items() if node.startswith("strips_within_ticks")] == [1]
    assert len(failed) == 1
    strips = await forward.rows("fct_curve_strips")
    (one,) = strips.filter(pl.col("ticks_apart") > 1).to_dicts()
    assert (one["period_label"], one["trade_date"], one["ticks_apart"]) == ("Q1-25", date(2024, 10, 14), 2)
    await forward.ingest([SourceFile(name, f"{header}\n{line}\n".encode() + b"\n")], at)
    (await forward.run(Verb.BUILD, CURVES)).raise_failure()
    healed = await forward.rows("fct_curve_strips")
    assert healed["is_equal"].sum() == strips["is_equal"].sum() + 1
    (await forward.run(Verb.RUN, CURVES, full_refresh=True)).raise_failure()
    full = await forward.rows("fct_curve_strips")
    assert full.height == healed.height


GAS, BROKER = "gas:TTF:base:EEX", "power:FR:base:RP"


def desk_file(name: str, *rows: tuple[str, str, str, float | str]) -> SourceFile:
    """Return a file of settlements: trade date, product, period, settlement."""
    return SourceFile(
        name, (DESK + "".join(f"{traded},{key},{period},{settle},,\n" for traded, key, period, settle in rows)).encode()
    )


def months_of(traded: str, key: str, year: int, *settles: float | str) -> list[tuple[str, str, str, float | str]]:
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return [(traded, key, f"{name}-{year}", settle) for name, settle in zip(names, settles, strict=False)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    postgres_server: EmbeddedPostgres, migrated_template: str, target: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Built]:
    """The models over invented quotes of an exchange and of a broker, on each engine."""
    rows = [
        *months_of("2025-01-07", DE, 26, *range(100, 112)),
        ("2025-01-07", DE, "Q1-26", 101),
        ("2025-01-07", DE, "2026-01-11..2026-02-01", 50),
        ("2025-01-08", DE, "Jan-26", 101),
        ("2025-01-08", DE, "Feb-26", ""),
        ("2025-01-08", DE, "Mar-26", 103),
        ("2025-01-08", DE, "Q1-26", 102),
        *months_of("2025-01-07", GAS, 26, 10, 20, 40),
        ("2025-01-07", GAS, "Q1-26", 23.444),
        *months_of("2025-01-07", BROKER, 26, 100, 200, 100),
        ("2025-01-07", BROKER, "Q1-26", 133.333),
        *((("2025-01-07", BROKER, f"Q{number}-26", 90 + number)) for number in (2, 3, 4)),
        ("2025-01-07", BROKER, "H2-26", 94),
        ("2025-01-07", BROKER, "Q1-27", 99),
    ]
    folder = tmp_path_factory.mktemp("desk")
    async with curve_models(postgres_server, migrated_template, target, folder, [desk_file("desk.csv", *rows)]) as built:
        yield built


async def strip_of(built: Built, key: str, label: str, traded: date = date(2025, 1, 7)) -> dict[str, Any]:
    strips = await built.rows("fct_curve_strips")
    (row,) = strips.filter(
        pl.col("curve_key") == key, pl.col("period_label") == label, pl.col("trade_date") == traded
    ).to_dicts()
    return row


async def test_a_mark_of_a_broker_that_is_no_weighted_average_fails_nothing(desk: Built) -> None:
    desk.report.raise_failure()
    assert desk.report.count(NodeStatus.FAILED) == desk.report.count(NodeStatus.WARNED) == 0
    marked = await strip_of(desk, BROKER, "Q1-26")
    assert (marked["is_exchange"], marked["is_equal"]) == (False, False)
    assert marked["value"] == pytest.approx((100 * 744 + 200 * 672 + 100 * 743) / 2159)
    assert marked["ticks_apart"] > 1


async def test_gas_is_weighted_by_days_and_power_by_the_hours_of_its_block(desk: Built) -> None:
    gas, power = await strip_of(desk, GAS, "Q1-26"), await strip_of(desk, DE, "Q1-26")
    assert gas["value"] == pytest.approx((10 * 31 + 20 * 28 + 40 * 31) / 90)
    assert power["value"] == pytest.approx((100 * 744 + 101 * 672 + 102 * 743) / 2159)
    assert (gas["weighting"], power["weighting"], gas["is_equal"], power["is_equal"]) == ("days", "hours", True, True)
    assert (gas["value_rounded"], gas["ticks_apart"]) == (23.444, 0)


async def test_longer_strips_are_made_of_the_fewest_parts(desk: Built) -> None:
    year, winter = await strip_of(desk, BROKER, "2026"), await strip_of(desk, BROKER, "Win-26")
    assert (year["parts"], year["value"]) == (3, pytest.approx((133.333 * 2159 + 92 * 2184 + 94 * 4417) / 8760))
    assert (winter["parts"], winter["value"]) == (2, pytest.approx((94 * 2209 + 99 * 2159) / 4368))
    assert (await strip_of(desk, BROKER, "H2-26"))["parts"] == 2
    assert (await strip_of(desk, BROKER, "Sum-26"))["value"] == pytest.approx((92 * 2184 + 93 * 2208) / 4392)
    assert (await strip_of(desk, DE, "2026"))["parts"] == 10, "its first quarter is quoted, too"


async def test_an_unpriced_part_leaves_no_value(desk: Built) -> None:
    quarter = await strip_of(desk, DE, "Q1-26", date(2025, 1, 8))
    assert (quarter["value"], quarter["parts"], quarter["quoted"], quarter["is_equal"]) == (None, 2, 102, None)
    assert quarter["coverage"] == pytest.approx((744 + 743) / 2159)
    year = await strip_of(desk, DE, "2026", date(2025, 1, 8))
    assert (year["value"], year["parts"]) == (None, 1), "the quarter alone; its months are parts of the quarter"
    assert year["coverage"] == pytest.approx(2159 / 8760)


async def test_quotes_of_tenants_are_in_no_model(desk: Built) -> None:
    mine = "power:DE:base:ACME"
    async with desk.store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
    await add_product(desk.store, mine, tenant="acme")
    await desk.store.loader.load(quotes_file([(0, 1, 0, 77.0)], key=mine, tenant="acme"))
    assert (await desk.store.curves.product(mine, tenant="acme")).first_trade_date is not None
    (await desk.run(Verb.BUILD, CURVES, full_refresh=True)).raise_failure()
    for name in ("dim_product", "fct_curve_settlements", "fct_curve_strips", "mart_curve_moves"):
        assert mine not in set((await desk.rows(name))["curve_key"])


async def test_only_the_rows_of_changed_products_are_written_again_and_a_tick_apart_is_a_warning(desk: Built) -> None:
    before = dict((await desk.rows("dim_product")).select("curve_key", "curve_version").rows())
    # On a trade date of its own: other tests read the others in any order.
    later = [*months_of("2025-01-09", GAS, 26, 10, 20, 40), ("2025-01-09", GAS, "Q1-26", 23.445)]
    await desk.ingest([desk_file("later.csv", *later)])
    report = await desk.run(Verb.BUILD, CURVES)
    report.raise_failure()
    assert [one.failures for one in report.run.results if one.status is NodeStatus.WARNED] == [1]
    strips = await desk.rows("fct_curve_strips")
    versions = dict(strips.select("curve_key", "curve_version").unique().rows())
    assert versions == {DE: before[DE], BROKER: before[BROKER], GAS: before[GAS] + 1}
    (await desk.run(Verb.RUN, CURVES, full_refresh=True)).raise_failure()
    key = ["curve_key", "trade_date", "delivery_start", "delivery_end"]
    assert_frame_equal((await desk.rows("fct_curve_strips")).sort(key), strips.sort(key))
