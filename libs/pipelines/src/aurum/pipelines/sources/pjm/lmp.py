"""LMP by node: day-ahead (``da_hrl_lmps``), verified real-time (``rt_hrl_lmps``, and ``rt_fivemin_hrl_lmps`` by five minutes).

Source of the layout: the feeds' definitions in Data Miner 2. A corrected hour is printed again with a greater
``version_nbr``; the rows it replaces stay in the feed with ``row_is_current`` False and may be in the same file.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.locations import hold_back_exchanged_ids
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile
from aurum.pipelines.sources.pjm.data_miner import described, labels_json, read_feed
from aurum.pipelines.sources.pjm.datasets import DA_HRL_LMPS, HUBS, RT_FIVEMIN_HRL_LMPS, RT_HRL_LMPS
from aurum.pipelines.sources.pjm.feeds import Feed

_OPTIONAL = ("pnode_name", "type", "zone", "voltage", "equipment", "row_is_current", "version_nbr")


def _format(dataset: Dataset, *, twin: str = "") -> FileFormat:
    def parse(document: SourceFile) -> tuple[Parsed, ...]:
        return (_parse(dataset, document),)

    columns = [measure.column for measure in dataset.measures]
    feed = Feed(dataset, "pnode_id", *columns, twin=twin)
    return FileFormat(f"pjm {dataset.name}", (dataset,), feed.recognise, parse, explain=feed.explain, columns=feed.columns)


def _parse(dataset: Dataset, document: SourceFile) -> Parsed:
    refusals = Refusals(document.raw)
    numbers = {measure.name: measure.column for measure in dataset.measures}
    table, rows_read = read_feed(document, dataset, "pnode_id", numbers, refusals)
    table = table.with_columns(pl.lit(None, pl.String).alias(name) for name in _OPTIONAL if name not in table.columns)
    table = hold_back_exchanged_ids(table, "pnode_name", refusals, HUBS, column="pnode_id")
    table = _with_version(table, refusals)
    rows = observations(table, list(numbers), version=pl.col("version"))
    return Parsed(dataset, rows, described(dataset, rows, _nodes(table)), refusals.frame(), rows_read, document.raw)


def _with_version(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the column ``version``: 0 for the current row of a node and hour, -1 for the one before it, and so on.

    The current row is the one with ``row_is_current``, among several the greatest ``version_nbr``. An hour with only
    replaced rows in the file has no 0: its current row is in another file.
    """
    number = whole(pl.col("version_nbr"))
    table = refusals.rows(
        table,
        number.is_null() & pl.col("version_nbr").is_not_null(),
        column="version_nbr",
        reason=Reason.NON_NUMERIC,
        detail=pl.col("version_nbr"),
    )
    current = (pl.col("row_is_current").str.to_lowercase() != "false").fill_null(True)
    table = table.with_columns(current.alias("__current"), number.fill_null(0).alias("__number"))
    replaced = pl.when(pl.col("__current").any().over("location", "ts")).then(0).otherwise(1)
    return table.with_columns(version=-(_rank(table) + replaced)).drop("__current", "__number")


def _rank(table: pl.DataFrame) -> pl.Expr:
    """Return 0 for the newest row of a node and hour, 1 for the next, and so on."""
    if not table.select(pl.struct("location", "ts").is_duplicated().any()).item():
        return pl.lit(0)
    # 1,000 versions of an hour are beyond anything published.
    age = pl.col("__number") + pl.col("__current").cast(pl.Int64) * 1_000
    return age.rank("dense", descending=True).over("location", "ts").cast(pl.Int64) - 1


def _nodes(table: pl.DataFrame) -> pl.DataFrame:
    return table.unique("location", keep="last").select(
        "location",
        location_name=pl.col("pnode_name"),
        location_type=pl.col("type"),
        labels=labels_json("equipment", "voltage", "zone"),
    )


DAY_AHEAD = _format(DA_HRL_LMPS)
REAL_TIME = _format(RT_HRL_LMPS, twin=RT_FIVEMIN_HRL_LMPS.name)
REAL_TIME_FIVE_MINUTES = _format(RT_FIVEMIN_HRL_LMPS, twin=RT_HRL_LMPS.name)
