"""Reads the columns that all downloads share: the date of the map, and columns that name the area."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from aurum.core.series.weeks import Week
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.dates import times, with_days
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.reading.two_times import hold_to_second_time, local_clock
from aurum.pipelines.source import IdRule, SourceFile
from aurum.pipelines.sources.drought_monitor.datasets import ZONE

_DAYS = ("%Y%m%d", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y")
WEEK = pl.lit(str(Week.STATED))
"""A map is valid from ``ValidStart``, the Tuesday of its date, up to the next Tuesday: ``ValidEnd`` is the Monday between."""
days_of_export = days_in_name(r"dm_export_(?P<first>\d{8})_(?P<last>\d{8})(?!\d)", ZONE, before=6, flags=re.IGNORECASE)
"""Reads the days in the name of an export; the week that holds the first one begins up to six days before it."""

_VALID_START = "ValidStart"

_RULES = {"FIPS": IdRule.FIPS, "HUCID": IdRule.HUC, "HucId": IdRule.HUC, "HUC": IdRule.HUC}


def header_of(document: SourceFile) -> list[str]:
    return [name.strip().strip('"') for name in document.head_lines(1)[0].split(",")]


def with_area(table: pl.DataFrame, known: Collection[str], refusals: Refusals) -> pl.DataFrame:
    """Return the table with ``location``, ``location_name``, ``location_type`` and ``ts``, the start of the map's day.

    The columns that are not ``known`` name the area: its id is a code (FIPS, HUC) where there is one, else the first of
    them; the others are its name. ``table`` has at least one such column.
    """
    about = [name for name in table.columns if name not in {"line", *known} and "#" not in name]
    code = next((name for name in about if name in _RULES), about[0])
    names = [name for name in about if name != code]
    frame = table.with_columns(
        location_name=pl.concat_str(names, separator=", ", ignore_nulls=True) if names else pl.lit(""),
        location_type=pl.lit(code.lower()),
    )
    frame = with_ids(frame, code, refusals, rule=_RULES.get(code, IdRule.TEXT))
    frame = with_days(frame, "MapDate", refusals, zone=ZONE, patterns=_DAYS)
    if _VALID_START not in frame.columns:
        return frame
    stated, day = times(pl.col(_VALID_START), _DAYS), local_clock(pl.col("ts"), ZONE)
    return hold_to_second_time(frame, refusals, first="MapDate", second=[_VALID_START], label=stated, expected=[day])
