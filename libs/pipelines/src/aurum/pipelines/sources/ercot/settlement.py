"""Turns settlement point prices, as rows of text, into observations: the part ERCOT's CSV, web service and workbooks share.

All three name the interval by delivery date, hour ending ``01:00`` .. ``24:00`` (real-time: hour 1..24 and quarter 1..4) in
Central prevailing time, and by one flag, called ``DSTFlag`` or ``Repeated Hour Flag``. The flag is Y (true) on the second of
the two hours of the fall-back day, the one in standard time, and N everywhere else, all summer included: in the yearly
workbooks of 2021 and 2023 the row of Y follows the row of N, and gridstatus (``ercot.py``, ``ambiguous_based_on_dstflag``)
reads it so. The web service sorts by date, hour and point only, so the order of the two rows there means nothing: in its
answer for 2025-11-02 the row of ``true`` comes first. A repeated hour without a flag is refused as ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import to_utc
from aurum.pipelines.reading.counts import only_counted_from_one
from aurum.pipelines.reading.dates import days
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, Parsed, describe_series
from aurum.pipelines.sources.ercot.counted_hours import hours_as_labelled
from aurum.pipelines.sources.ercot.datasets import DAM_SPP, RTM_SPP, ZONE

_SPELLINGS = {
    "deliverydate": "date",
    "hourending": "hour",
    "deliveryhour": "hour",
    "deliveryinterval": "quarter",
    "settlementpoint": "point",
    "settlementpointname": "point",
    "settlementpointtype": "kind",
    "settlementpointprice": "price",
    "dstflag": "second",
    "repeatedhourflag": "second",
}
# MM/DD/YYYY in CSV and workbooks, YYYY-MM-DD in the web service, with midnight in a date cell.
_DAYS = ("%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00")
DAM_COLUMNS = ("DeliveryDate", "HourEnding", "SettlementPoint", "SettlementPointPrice", "DSTFlag")
RTM_COLUMNS = (
    "DeliveryDate",
    "DeliveryHour",
    "DeliveryInterval",
    "SettlementPointName",
    "SettlementPointType",
    "SettlementPointPrice",
    "DSTFlag",
)
"""Header words as postings spell them; the web service begins them with a small letter, workbooks separate them."""
_REQUIRED = ("date", "hour", "point", "price")
_FLAGS = {"Y": True, "N": False, "TRUE": True, "FALSE": False}
_HOURS, _QUARTERS = "ERCOT's hours end at 1 to 24", "ERCOT's quarters of an hour are 1 to 4"
_ENERGY_WEIGHTED = ("LZEW", "LZ_DCEW")
_PREFIXES = {"HB_": "hub", "LZ_": "load_zone", "DC_": "dc_tie"}


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices as text. ``rows``: ``line`` and String columns named as in the file; ``words``: those names by role.

    ``rows_read`` counts the rows that ``refusals`` already holds, too. ``raw``: returns the text of a line.
    """

    rows: pl.DataFrame
    words: Mapping[str, str]
    refusals: Refusals
    rows_read: int
    raw: Callable[[int], str]


def words_of(headers: Iterable[str]) -> dict[str, str]:
    """Return the known header words, by role: date, hour, quarter, point, kind, price, second."""
    plain = {header: re.sub(r"[^a-z]", "", header.lower()) for header in headers}
    return {_SPELLINGS[word]: header for header, word in plain.items() if word in _SPELLINGS}


def dataset_of(words: Mapping[str, str]) -> Dataset | None:
    """Return the dataset that has these columns; None when a necessary one is missing."""
    if any(role not in words for role in _REQUIRED):
        return None
    return RTM_SPP if "quarter" in words else DAM_SPP


def parse_prices(table: PriceTable, dataset: Dataset, *, known_at: datetime | None = None) -> Parsed:
    """Return the observations of a table of prices: location is the settlement point, ``ts`` the interval start in UTC.

    The energy-weighted price of a load zone has the zone's own name and differs only in type (LZEW instead of LZ), so it
    is a separate measure.
    """
    point = table.words["point"]
    rows = with_ids(table.rows, point, table.refusals, rule=dataset.ids)
    rows = _interval_starts(_with_second(rows, table), table)
    rows = table.refusals.numbers(rows, {"value": table.words["price"]})
    weighted = pl.col("kind").is_in(_ENERGY_WEIGHTED)
    rows = rows.with_columns(
        pl.when(~weighted).then("value").alias("spp"),
        pl.when(weighted).then("value").alias("spp_energy_weighted"),
    )
    observed = observations(rows, [measure.name for measure in dataset.measures])
    series = describe_series(dataset, observed, locations=_locations(rows))
    return Parsed(dataset, observed, series, table.refusals.frame(), table.rows_read, table.raw, known_at)


def _with_second(rows: pl.DataFrame, table: PriceTable) -> pl.DataFrame:
    """Return the rows with ``second`` (Boolean, null without a flag) and ``kind`` (upper case, empty when missing)."""
    kind = pl.col(table.words["kind"]).str.to_uppercase().fill_null("") if "kind" in table.words else pl.lit("")
    rows = rows.with_columns(kind.alias("kind"))
    if "second" not in table.words:
        return rows.with_columns(pl.lit(None, dtype=pl.Boolean).alias("second"))
    flag = pl.col(table.words["second"])
    second = flag.str.to_uppercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    rows = rows.with_columns(second.alias("second"))
    unknown = pl.col("second").is_null() & flag.is_not_null()
    return table.refusals.rows(rows, unknown, column=table.words["second"], reason=Reason.UNKNOWN_CODE, detail=flag)


def _interval_starts(rows: pl.DataFrame, table: PriceTable) -> pl.DataFrame:
    hour = whole(pl.col(table.words["hour"]).str.extract(r"^([0-9]{1,2})(?::00)?$"))
    rows = rows.with_columns(hour.alias("hour"), days(pl.col(table.words["date"]), _DAYS).alias("day"))
    rows = only_counted_from_one(
        rows,
        table.refusals,
        is_zero=pl.col("hour") == 0,
        is_last=pl.col("hour") >= 24,
        within="day",
        column=table.words["hour"],
        what=_HOURS,
    )
    rows = hours_as_labelled(rows, ZONE)
    naive = pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=pl.col("hour") - 1)
    possible = pl.col("hour").is_between(1, 24)
    if "quarter" in table.words:
        header = table.words["quarter"]
        quarter = whole(pl.col(header).str.extract(r"^([0-9])$"))
        rows = only_counted_from_one(
            rows,
            table.refusals,
            is_zero=quarter == 0,
            is_last=quarter == 4,
            within="day",
            column=header,
            what=_QUARTERS,
        )
        naive = naive + pl.duration(minutes=(quarter - 1) * 15)
        possible = possible & quarter.is_between(1, 4)
    rows = rows.with_columns(pl.when(possible).then(naive).alias("naive"))
    rows = rows.with_columns(to_utc(pl.col("naive"), ZONE, second=pl.col("second")).alias("ts"))
    return table.refusals.times(rows, pl.col("naive"), ZONE, column=table.words["hour"])


def _locations(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the type of each location: by its prefix (HB_, LZ_, DC_), else from ``kind``, which real-time files have."""
    by_name = pl.col("location").str.slice(0, 3).replace_strict(_PREFIXES, default=None, return_dtype=pl.String)
    resource = pl.when(pl.col("kind").is_in(["RN", "PCCRN", "LCCRN", "PUN"])).then(pl.lit("resource_node"))
    return rows.select("location", pl.coalesce(by_name, resource, pl.lit("")).alias("location_type")).unique("location")
