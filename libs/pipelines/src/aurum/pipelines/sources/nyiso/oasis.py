"""OASIS exports of zonal prices: day-ahead (hourly) and real-time commitment (RTC, 15 minutes).

    Eastern Date Hour,Eastern Date Hour Time Zone,Zone Name,Zone PTID,DAM Zonal LBMP,DAM Zonal Losses,
        DAM Zonal Congestion,DAM Zonal Price Version
    RTC End Time Stamp,Zone Name,Zone PTID,RTC Zonal LBMP,RTC Zonal Losses,RTC Zonal Congestion,RTC Zonal Price Version

Day-ahead rows begin at their stamp and have an EST/EDT column; RTC rows end at theirs and have none. The day-ahead prices
are those of the MIS file ``damlbmp_zone`` and load into that dataset. The last column numbers a price's corrections. Source
of the layouts: files from NYISO's custom reports.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.locations import hold_back_exchanged_ids
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.components import MEASURES, with_components, with_sign_labels
from aurum.pipelines.sources.nyiso.datasets import DAMLBMP_ZONE, RTC_ZONE
from aurum.pipelines.sources.nyiso.layout import by_header
from aurum.pipelines.sources.nyiso.stamps import with_instants
from aurum.pipelines.sources.nyiso.zones import IDS, zone_type

_NAME, _PTID = "Zone Name", "Zone PTID"
_DAM_STAMP, _DAM_ZONE = "Eastern Date Hour", "Eastern Date Hour Time Zone"
_RTC_STAMP = "RTC End Time Stamp"


def _columns(run: str) -> dict[str, str]:
    return {
        "lmp": f"{run} Zonal LBMP",
        "loss": f"{run} Zonal Losses",
        "published_congestion": f"{run} Zonal Congestion",
    }


def _parse_day_ahead(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, "DAM", [_DAM_STAMP, _DAM_ZONE], refusals)
    table = with_instants(table, _DAM_STAMP, refusals, time_zone=_DAM_ZONE)
    return (_parsed(document, DAMLBMP_ZONE, "DAM", table, refusals, rows_read),)


def _parse_commitment(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, "RTC", [_RTC_STAMP], refusals)
    table = with_instants(table, _RTC_STAMP, refusals)
    table = table.with_columns(pl.col("ts").dt.offset_by("-15m"))
    return (_parsed(document, RTC_ZONE, "RTC", table, refusals, rows_read),)


def _read(document: SourceFile, run: str, stamps: list[str], refusals: Refusals) -> tuple[pl.DataFrame, int]:
    table = read_table(document, [*stamps, _NAME, _PTID, *_columns(run).values()], refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, _PTID, refusals, rule=DAMLBMP_ZONE.ids)
    table = hold_back_exchanged_ids(table, _NAME, refusals, IDS, column=_PTID)
    return table, rows_read


def _parsed(
    document: SourceFile, dataset: Dataset, run: str, table: pl.DataFrame, refusals: Refusals, rows_read: int
) -> Parsed:
    table = with_components(refusals.numbers(table, _columns(run)))
    table = _with_version(table, f"{run} Zonal Price Version", refusals)
    rows = observations(table, MEASURES, version=pl.col("version"))
    zones = table.select("location", location_name=pl.col(_NAME), location_type=zone_type(pl.col("location")))
    series = with_sign_labels(describe_series(dataset, rows, locations=zones.unique("location", keep="last")))
    return Parsed(dataset, rows, series, refusals.frame(), rows_read, document.raw)


def _with_version(table: pl.DataFrame, column: str, refusals: Refusals) -> pl.DataFrame:
    """Return the column ``version``: 0 for the greatest number of a zone and interval, -1 for the next, and so on."""
    if column not in table.columns:
        return table.with_columns(version=pl.lit(0))
    number = whole(pl.col(column))
    table = refusals.rows(table, number.is_null(), column=column, reason=Reason.NON_NUMERIC, detail=pl.col(column))
    if not table.select(pl.struct("location", "ts").is_duplicated().any()).item():
        return table.with_columns(version=pl.lit(0))
    return table.with_columns(version=1 - number.rank("dense", descending=True).over("location", "ts").cast(pl.Int64))


DAM_ZONAL_FORMAT = FileFormat(
    "nyiso day-ahead zonal LBMP (OASIS export)",
    (DAMLBMP_ZONE,),
    by_header(_DAM_STAMP, _DAM_ZONE, _PTID, *_columns("DAM").values(), report="dam", hourly=True),
    _parse_day_ahead,
    columns=(_DAM_STAMP, _DAM_ZONE, _NAME, _PTID, *_columns("DAM").values()),
)
RTC_ZONAL_FORMAT = FileFormat(
    "nyiso RTC zonal LBMP (OASIS export)",
    (RTC_ZONE,),
    by_header(_RTC_STAMP, _PTID, *_columns("RTC").values()),
    _parse_commitment,
    columns=(_RTC_STAMP, _NAME, _PTID, *_columns("RTC").values()),
)
