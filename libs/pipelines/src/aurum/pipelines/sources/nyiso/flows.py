"""Flows and limits of interfaces (``ExternalLimitsFlows``): one row per interface and sample, every five minutes.

    Timestamp,Interface Name,Point ID,Flow (MWH),Positive Limit (MWH),Negative Limit (MWH)

The numbers are MW, whatever the header says. Stamps are local and without a zone; samples off the five minutes are kept
apart in ``external_limits_flows_extra``. A limit of exactly 9999 or -9999 means no limit in that direction (-9899 is a
real one); the row then has only the flow. Locations are the point ids: names of interfaces changed over the years under
the same id. Source of the layout: the files, and NYISO's report page P-32.
"""

from __future__ import annotations

import polars as pl

from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.datasets import EXTERNAL_LIMITS_FLOWS, EXTRA
from aurum.pipelines.sources.nyiso.file_name import named
from aurum.pipelines.sources.nyiso.grid import split_by_grid
from aurum.pipelines.sources.nyiso.layout import by_header
from aurum.pipelines.sources.nyiso.stamps import with_instants

_STAMP, _NAME, _POINT = "Timestamp", "Interface Name", "Point ID"
_NUMBERS = {
    "flow": "Flow (MWH)",
    "limit_positive": "Positive Limit (MWH)",
    "limit_negative": "Negative Limit (MWH)",
}
_NO_LIMIT = 9999


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, [_STAMP, _NAME, _POINT, *_NUMBERS.values()], refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, _POINT, refusals, rule=EXTERNAL_LIMITS_FLOWS.ids)
    table = with_instants(table, _STAMP, refusals)
    table = refusals.numbers(table, _NUMBERS).with_columns(_limit("limit_positive"), _limit("limit_negative"))
    points = table.select("location", location_name=pl.col(_NAME), location_type=pl.lit("INTERFACE"))
    return split_by_grid(
        document,
        EXTERNAL_LIMITS_FLOWS,
        table,
        refusals,
        rows_read=rows_read,
        interval_end=False,
        observe=lambda sampled: observations(sampled, list(_NUMBERS)),
        describe=lambda dataset, rows: describe_series(dataset, rows, locations=points.unique("location", keep="last")),
    )


def _limit(column: str) -> pl.Expr:
    return pl.when(pl.col(column).abs() != _NO_LIMIT).then(pl.col(column))


EXTERNAL_LIMITS_FLOWS_FORMAT = FileFormat(
    "nyiso ExternalLimitsFlows",
    (EXTERNAL_LIMITS_FLOWS, EXTRA[EXTERNAL_LIMITS_FLOWS.name]),
    by_header(_STAMP, _NAME, _POINT, *_NUMBERS.values(), report="externallimitsflows"),
    _parse,
    named=named("ExternalLimitsFlows"),
    columns=(_STAMP, _NAME, _POINT, *_NUMBERS.values()),
)
