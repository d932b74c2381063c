"""Delivery periods, their hours and the parts of strips, as tables for the models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.calendars import default_blocks, parse_block
from aurum.core.curves.calendars import default_delivery_calendars, hours, parse_delivery_calendar
from aurum.core.curves.period_labels import add_months
from aurum.core.curves.periods import PeriodKind, name_period
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.seasons import default_season_families, parse_season_family
from aurum.core.curves.sessions import default_session_calendars
from aurum.core.curves.strips import tiling
from aurum.pipelines.models.delivery import CurveReferences, DeliveryFrames, delivery_frames
from aurum.storage.ports.model_inputs import PRODUCTS, QUOTED_PERIODS

Span = tuple[date, date]
REFERENCES = CurveReferences(
    default_delivery_calendars(), default_season_families(), default_session_calendars(), default_blocks()
)
SHARED = Path(__file__).resolve().parents[6] / "shared"


def frames(*products: Mapping[str, object], spans: Sequence[Span]) -> DeliveryFrames:
    """Return the tables of products with these terms, numbered from 1, that quote the spans."""
    terms = {"calendar": "eu_power", "block": None, "seasons": "europe", "sessions": None, "weighting": "hours"}
    rows = [
        dict.fromkeys(PRODUCTS) | {"curve_id": number, "document": json.dumps({**terms, **product})}
        for number, product in enumerate(products, 1)
    ]
    quoted = [(number, *span) for number in range(1, len(products) + 1) for span in spans]
    return delivery_frames(
        pl.DataFrame(rows, schema=PRODUCTS), pl.DataFrame(quoted, schema=QUOTED_PERIODS, orient="row"), REFERENCES
    )


def months(year: int, month: int, count: int = 1) -> Span:
    first = date(year, month, 1)
    return first, add_months(first, count)


def test_a_period_has_the_hours_the_instants_and_the_label_of_core() -> None:
    spans = [months(2025, 3), months(2025, 10), months(2025, 1, 3), (date(2025, 3, 24), date(2025, 3, 31))]
    periods = frames({}, {"block": "PEAK"}, spans=spans).periods.sort("curve_id", "delivery_start", "delivery_end")
    calendar = parse_delivery_calendar("eu_power")
    for curve_id, block in ((1, None), (2, parse_block("entsoe", "PEAK"))):
        for first, end, counted in (
            periods.filter(pl.col("curve_id") == curve_id).select("delivery_start", "delivery_end", "hours").rows()
        ):
            assert counted == hours(calendar, first, end, block)
    march = periods.filter(pl.col("label") == "Mar-25", pl.col("curve_id") == 1)
    assert march.select("kind", "days", "hours", "weight").row(0) == ("month", 31, 743, 743)
    assert march["starts_at"].item() == datetime(2025, 2, 28, 23, tzinfo=UTC)
    assert march["ends_at"].item() == datetime(2025, 3, 31, 22, tzinfo=UTC)
    assert set(periods["label"]) >= {"Q1-25", "W13-25", "Win-24", "H1-25", "2025"}, "with the strips that quotes may tile"


@pytest.mark.needs_real_files
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} does not exist")
def test_hours_of_blocks_are_those_that_were_counted_elsewhere() -> None:
    oracle: dict[str, dict[str, float]] = json.loads((SHARED / "design" / "quant" / "blocks.json").read_text())
    names = {"7x24": None, "ON_PEAK": "ON_PEAK", "OFF_PEAK": "OFF_PEAK", "2x16": "2x16", "7x8": "7x8"}
    products = [{"calendar": "pjm_power", "block": block, "seasons": None} for block in names.values()]
    spans = [months(year, month) for year in range(2024, 2028) for month in range(1, 13)]
    periods = frames(*products, spans=spans).periods.filter(pl.col("kind") == "month")
    for curve_id, name in enumerate(names, 1):
        counted = periods.filter(pl.col("curve_id") == curve_id).select("delivery_start", "hours").rows()
        assert {f"pjm:{first:%Y-%m}": count for first, count in counted} == {
            label: blocks[name] for label, blocks in oracle.items() if label.startswith("pjm:") and "-" in label
        }


@pytest.mark.parametrize(
    ("weighting", "sessions", "expected"),
    [("hours", None, 743), ("days", None, 31), ("equal", None, 1), ("sessions", "XEEE", 21), ("sessions", None, None)],
)
def test_the_weight_of_a_part_follows_the_product(weighting: str, sessions: str | None, expected: float | None) -> None:
    periods = frames({"weighting": weighting, "sessions": sessions}, spans=[months(2025, 3)]).periods
    assert periods.filter(pl.col("label") == "Mar-25")["weight"].item() == expected


def test_the_rest_of_a_month_is_named_on_its_trade_date_alone() -> None:
    spans = [(date(2025, 3, 11), date(2025, 4, 1)), (date(2025, 3, 2), date(2025, 4, 1)), (date(2025, 3, 11), date(2026, 1, 1))]
    rows = frames({}, spans=spans).periods.filter(pl.col("kind") == "custom")
    rests = {
        (first, end): rest for first, end, *rest in rows.select(*QUOTED_PERIODS.names()[1:], "rest_label", "rest_after").rows()
    }
    assert rests == {
        spans[0]: ["BOM", date(2025, 3, 10)],
        spans[1]: [None, None],
        spans[2]: ["BOY", date(2025, 3, 10)],
    }, "on the first of March, BOM is all of March"


def test_a_product_with_unknown_terms_has_no_periods() -> None:
    both = frames({"calendar": "mars_power"}, {}, spans=[months(2025, 1)])
    assert set(both.periods["curve_id"]) == {2}
    assert frames({"block": "NIGHT"}, spans=[months(2025, 1)]).parts.is_empty()


def test_every_shipped_product_has_periods() -> None:
    products = default_products()
    rows = [
        dict.fromkeys(PRODUCTS) | {"curve_id": n, "document": json.dumps(one.to_document())} for n, one in enumerate(products)
    ]
    quoted = pl.DataFrame([(n, *months(2025, 1)) for n in range(len(products))], schema=QUOTED_PERIODS, orient="row")
    periods = delivery_frames(pl.DataFrame(rows, schema=PRODUCTS), quoted, REFERENCES).periods
    assert periods["curve_id"].n_unique() == len(products)


UNITS = [
    *(months(2025, month) for month in range(1, 13)),
    *(months(2025, month, 3) for month in (1, 4, 7, 10)),
    *(months(2025, month, 6) for month in (1, 7, 4)),
    months(2024, 10, 6),
    months(2025, 10, 6),
]


@given(st.sets(st.sampled_from(UNITS)))
def test_the_longest_parts_of_a_tiling_are_those_that_core_takes(quoted: set[Span]) -> None:
    made = frames({}, spans=sorted(quoted)).parts if quoted else None
    spans = sorted(quoted)
    for strip in (months(2025, 1, 12), months(2025, 1, 6), months(2025, 4, 6), months(2025, 1, 3)):
        expected = tiling(spans, *strip)
        tilings = [] if made is None else tilings_of(made, strip)
        assert (min(map(len, tilings)) if tilings else None) == (len(expected) if expected else None)
        assert expected is None or expected in tilings


def tilings_of(parts: pl.DataFrame, strip: Span) -> list[list[Span]]:
    """Return the tilings of a strip, made of the longest of its parts, as the model makes them."""
    own = parts.filter(pl.col("strip_start") == strip[0], pl.col("strip_end") == strip[1])
    tilings: list[list[Span]] = []
    for number in own["tiling"].unique().to_list():
        spans: list[Span] = own.filter(pl.col("tiling") == number).select("part_start", "part_end").rows()
        assert not [(a, b) for a, b in combinations(sorted(spans), 2) if a[0] < b[0] < a[1] < b[1]]
        longest = [a for a in spans if not any(b != a and b[0] <= a[0] and a[1] <= b[1] for b in spans)]
        if sum((end - first).days for first, end in longest) == (strip[1] - strip[0]).days:
            tilings.append(sorted(longest))
    return tilings


def test_packages_of_us_power_tile_a_year() -> None:
    family = parse_season_family("us_power")
    packages = [months(2025, season.first_month, season.months) for season in family.seasons]
    kinds = {name_period(*one, seasons=family).kind for one in packages}
    assert kinds == {PeriodKind.SEASON, PeriodKind.MONTH, PeriodKind.QUARTER}
    quoted = sorted({*packages, *(months(2025, month, 3) for month in (1, 4, 7, 10))})
    terms = {"calendar": "pjm_power", "block": "ON_PEAK", "seasons": "us_power"}
    tilings = tilings_of(frames(terms, spans=quoted).parts, months(2025, 1, 12))
    assert sorted(map(len, tilings)) == [4, 6], "the quarters, and the packages, of which those of the third quarter are one"
