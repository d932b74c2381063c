"""Converts ISO-NE's hour-ending labels to UTC: ``01`` .. ``24``, and ``02X`` for the repeated hour.

On the fall-back day ``02`` is the first and ``02X`` the second of the two hours from 01:00. Without a ``02X`` on that day,
``02`` may be either (SMD workbooks up to 2023 print the mean of both there): refused.

On the spring day, of 23 hours, the second hour ends at 02:00 standard time, which is 03:00 daylight time. Editions differ in
what they call it: where there is an ``03`` and no ``02``, it is ``03``, else ``02``. An edition that prints both has 24 labels
for 23 hours: one of the two is invented.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import hour_ending, label_problem
from aurum.pipelines.reading.counts import only_counted_from_one
from aurum.pipelines.reading.dates import days
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.sources.isone.datasets import ZONE

_LABEL = r"^([0-9]{1,2})(X?)$"


def with_instants(
    table: pl.DataFrame, refusals: Refusals, *, day: str, hour: str, patterns: Sequence[str], invented: int = 3
) -> pl.DataFrame:
    """Return the table with ``ts``, the UTC start of the hour that columns ``day`` and ``hour`` (both String) name.

    ``patterns``: those of the day. Rows whose label does not name exactly one hour go to ``refusals``, with all rows of days
    that are counted from 0. ``invented``: the label, 2 or 3, that is not an observation when a spring day has both.
    """
    table = only_counted_from_one(
        table,
        refusals,
        is_zero=pl.col(hour).is_in(["0", "00"]),
        is_last=pl.col(hour) == "24",
        within=day,
        column=hour,
        what="ISO-NE's hours end at 01 to 24",
    )
    labels = _read(table.select(day, hour).unique(maintain_order=True), day, hour, patterns)
    labels = labels.with_columns(__problem=_problem(invented))
    # On a spring day the second hour is the hour from 01:00, whether its label is 02 or 03.
    number = pl.when(pl.col("__spring") & (pl.col("__number") == 3)).then(2).otherwise(pl.col("__number"))
    start = hour_ending(pl.col("__day"), number, ZONE, second=pl.col("__extra"))
    labels = labels.select(day, hour, "__problem", "__day", ts=pl.when(pl.col("__problem").is_null()).then(start))
    table = table.join(labels, on=[day, hour], how="left", maintain_order="left", nulls_equal=True)
    no_day = pl.col("__day").is_null()
    table = refusals.rows(table, no_day, column=day, reason=Reason.INVALID_TIME, detail=pl.col(day))
    detail = pl.format("{} hour ending {}", pl.col("__day"), pl.col(hour))
    lost = pl.col("ts").is_null()
    return refusals.rows(table, lost, column=hour, reason=pl.col("__problem"), detail=detail).drop("__problem", "__day")


def _read(labels: pl.DataFrame, day: str, hour: str, patterns: Sequence[str]) -> pl.DataFrame:
    """Return labels with ``__day`` (Date or null), ``__number`` (1 to 24, or null), ``__extra`` (an X) and the day's kind:
    ``__fall``, ``__spring``.
    """
    number = whole(pl.col(hour).str.extract(_LABEL, 1))
    midnight = pl.col("__day").cast(pl.Datetime("us"))
    return labels.with_columns(__day=days(pl.col(day), patterns)).with_columns(
        __number=pl.when(number.is_between(1, 24)).then(number),
        __extra=pl.col(hour).str.extract(_LABEL, 2).eq_missing("X"),
        # Clocks change at 02:00, so 01:30 is ambiguous on a fall day and 02:30 does not exist on a spring day.
        __fall=label_problem(midnight.dt.offset_by("90m"), ZONE).eq_missing("ambiguous_time"),
        __spring=label_problem(midnight.dt.offset_by("150m"), ZONE).eq_missing("non_existent_time"),
    )


def _problem(invented: int) -> pl.Expr:
    """Return the ``Reason`` why a label does not name exactly one hour; null where it does."""
    number, extra, fall, spring = (pl.col(name) for name in ("__number", "__extra", "__fall", "__spring"))
    repeated = fall & (number == 2)
    distinguished = (repeated & extra).any().over("__day")
    both = (number == 2).any().over("__day") & (number == 3).any().over("__day")
    return (
        pl.when(number.is_null() | pl.col("__day").is_null())
        .then(pl.lit(str(Reason.INVALID_TIME)))
        .when((extra & ~repeated) | (spring & both & (number == invented)))
        .then(pl.lit(str(Reason.NON_EXISTENT_TIME)))
        .when(repeated & ~distinguished)
        .then(pl.lit(str(Reason.AMBIGUOUS_TIME)))
        .otherwise(None)
    )
