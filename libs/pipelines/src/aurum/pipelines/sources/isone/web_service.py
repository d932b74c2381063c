"""The web service's hourly LMP (``/hourlylmp/{da|rt}/{prelim|final}/...``): JSON with an explicit offset in every time.

    {"HourlyLmps": {"HourlyLmp": [{"BeginDate": "2025-11-02T01:00:00.000-05:00",
        "Location": {"@LocId": "4000", "@LocType": "HUB", "$": ".H.INTERNAL_HUB"}, "LmpTotal": 31.96,
        "EnergyComponent": 31.69, "CongestionComponent": 0, "LossComponent": 0.27}, ...]}}

A single record may come without its list. An answer does not say its market, only the address it came from does:
name the file so that it says ``da``, ``rt_prelim`` or ``rt_final`` (``hourlylmp_da_final_20251102.json``). Otherwise the
prices go into the dataset ``hourlylmp``, where they cannot pass for those of either market. Source of the layout: answers of
the service, ISO-NE Web Services API v1.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.locations import distinct_locations, hold_back_exchanged_ids
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.dates import instants
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.json_text import as_json, read_json
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.isone.datasets import DA_LMP, HOURLYLMP, PLACES, RT_LMP_FINAL, RT_LMP_PRELIM, ZONE

_BEGIN = "BeginDate"
_HEADERS = {"lmp": "LmpTotal", "energy": "EnergyComponent", "congestion": "CongestionComponent", "loss": "LossComponent"}
_SCHEMA = pl.Schema(
    {
        _BEGIN: pl.String(),
        "Location": pl.Struct({"@LocId": pl.String(), "@LocType": pl.String(), "$": pl.String()}),
        **dict.fromkeys(_HEADERS.values(), pl.String()),
    }
)
_NAME = re.compile(r"(?<![a-z])(da|rt)(?![a-z])(?:.*(prelim|final))?")


_MARKET = re.compile(r"(?<![a-z])(da|rt)(?![a-z])")


def _dataset(name: str) -> Dataset:
    match = _NAME.search(name.lower())
    if match is None or len(set(_MARKET.findall(name.lower()))) > 1:
        return HOURLYLMP
    by_name = {("rt", "prelim"): RT_LMP_PRELIM, ("rt", "final"): RT_LMP_FINAL, ("rt", None): HOURLYLMP}
    return by_name.get((match[1], match[2]), DA_LMP)


def _recognise(document: SourceFile) -> bool:
    return document.head.lstrip().startswith("{") and '"HourlyLmps"' in document.head


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    dataset = _dataset(document.name)
    records = _records(document)

    def raw(line: int) -> str:
        return as_json(records[line - 1])

    refusals = Refusals(raw)
    table = refusals.rows(
        _table(records), pl.col("ts").is_null(), column=_BEGIN, reason=Reason.INVALID_TIME, detail=pl.col(_BEGIN)
    )
    table = with_ids(table, "@LocId", refusals, rule=dataset.ids)
    table = hold_back_exchanged_ids(table, "location_name", refusals, PLACES, column="@LocId")
    table = distinct_locations(table, "location_name", at=("ts",))
    rows = observations(refusals.numbers(table, _HEADERS), list(_HEADERS))
    series = describe_series(dataset, rows, locations=table.unique("location", keep="last"))
    return (Parsed(dataset, rows, series, refusals.frame(), len(records), raw),)


def _records(document: SourceFile) -> list[object]:
    """Return the records of the answer; numbers stay texts. Raises ``RefusedFile``."""
    answer = cast("dict[str, dict[str, object]]", read_json(document))
    try:
        records = answer["HourlyLmps"]["HourlyLmp"]
    except (KeyError, TypeError) as error:
        raise RefusedFile("no HourlyLmps.HourlyLmp in the answer") from error
    return cast("list[object]", records) if isinstance(records, list) else [records]


def _table(records: Sequence[object]) -> pl.DataFrame:
    try:
        table = pl.DataFrame(records, schema=_SCHEMA, strict=False, orient="row")
    except pl.exceptions.PolarsError as error:
        raise RefusedFile("a record is not of the layout HourlyLmp") from error
    place = pl.col("Location").struct
    return table.with_row_index("line", offset=1).with_columns(
        place.field("@LocId"),
        ts=instants(pl.col(_BEGIN)),
        location_name=place.field("$"),
        location_type=place.field("@LocType"),
    )


HOURLY_LMP = FileFormat(
    "isone hourlylmp (web service JSON)",
    (HOURLYLMP, DA_LMP, RT_LMP_PRELIM, RT_LMP_FINAL),
    _recognise,
    _parse,
    named=days_in_name(r"hourlylmp[_-](?:[a-z]+[_-])*(?P<day>\d{8})(?!\d)", ZONE, flags=re.IGNORECASE),
    columns=("HourlyLmps", "HourlyLmp", _BEGIN, "Location", *_HEADERS.values()),
)
