"""Compares the step of a file with the step of its series: the grid that its instants lie on, and the spacing between them.

A file of another feed in the same layout (five-minute prices under the header of hourly ones, a daily series averaged by
month) has rows that fit, and those would revise good values. So a series is held back whole when most of its instants are off
its grid, or when all its distances are those of a coarser step; a file most of whose rows are of such series is refused.
Single rows off the grid are held back alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.frequency import Frequency
from aurum.pipelines.source import Parsed

_WORDS: Mapping[Frequency, str] = MappingProxyType(
    {
        Frequency.MIN_1: "1 minute",
        Frequency.MIN_5: "5 minutes",
        Frequency.MIN_10: "10 minutes",
        Frequency.MIN_15: "15 minutes",
        Frequency.MIN_30: "30 minutes",
        Frequency.HOUR: "1 hour",
        Frequency.DAY: "1 day",
        Frequency.WEEK: "1 week",
        Frequency.MONTH: "1 month",
        Frequency.QUARTER: "1 quarter",
        Frequency.YEAR: "1 year",
    }
)
# Hours between neighbours, by step. Days have 23 to 25 hours, and a week's stamp may move by a day for a holiday.
_DISTANCES: tuple[tuple[Frequency, float, float], ...] = (
    *((each, each.step / timedelta(hours=1), each.step / timedelta(hours=1)) for each in Frequency if each.step),
    (Frequency.DAY, 23, 25),
    (Frequency.WEEK, 6 * 24 - 1, 8 * 24 + 1),
    (Frequency.MONTH, 28 * 24 - 1, 31 * 24 + 1),
    (Frequency.QUARTER, 89 * 24 - 1, 92 * 24 + 1),
    (Frequency.YEAR, 365 * 24 - 1, 366 * 24 + 1),
)
_ENOUGH = 4
"""Distances, all equal, that are no chance. Of months fewer will do, if every one begins on a first."""
_SERIES = ["location", "measure"]


@dataclass(frozen=True, slots=True)
class StepCheck:
    """``reasons``: String column, why each row is held back, null for those that are not; None where no row is.

    ``refusal``: why the whole file is refused, or empty.
    """

    reasons: pl.Series | None = None
    refusal: str = ""


def check_steps(parsed: Parsed, rows: pl.DataFrame) -> StepCheck:
    """Check the rows of a file against the frequencies that its series have."""
    kinds = parsed.series.select("frequency", "zone").unique()
    if kinds.height == 1:
        frequency, zone = kinds.row(0)
        check = _check(rows, Frequency(frequency), zone)
        return StepCheck(check.reasons, check.refusal(rows.height)) if check is not None else StepCheck()
    described = parsed.series.select(*_SERIES, "frequency", "zone")
    placed = rows.select(*_SERIES, "ts").with_row_index("row").join(described, on=_SERIES, how="left", maintain_order="left")
    checks: list[_PartCheck] = []
    reasons: list[pl.DataFrame] = []
    for (frequency, zone), part in placed.partition_by("frequency", "zone", as_dict=True).items():
        check = _check(part, Frequency(str(frequency)), str(zone))
        if check is not None:
            checks.append(check)
            reasons.append(part.select("row", check.reasons.alias("reason")))
    if not checks:
        return StepCheck()
    by_row = placed.select("row").join(pl.concat(reasons), on="row", how="left", maintain_order="left")["reason"]
    worst = max(checks, key=lambda check: check.foreign)
    return StepCheck(by_row, worst.refusal(rows.height, foreign=sum(check.foreign for check in checks)))


@dataclass(frozen=True, slots=True)
class _PartCheck:
    """The rows of one frequency. ``foreign``: the number of rows of series of another step; ``wrong``: how theirs differs."""

    reasons: pl.Series
    foreign: int = 0
    wrong: str = ""

    def refusal(self, total: int, *, foreign: int | None = None) -> str:
        """Return why a file of ``total`` rows is refused; empty where it is not."""
        if 2 * (self.foreign if foreign is None else foreign) <= total:
            return ""
        return f"another step: {self.wrong}; nothing of the file was stored"


def _check(rows: pl.DataFrame, frequency: Frequency, zone: str) -> _PartCheck | None:
    """Check the rows of one frequency; None where all fit."""
    if frequency is Frequency.IRREGULAR or rows.is_empty():
        return None
    off = rows.select(off=_off_grid(frequency, zone, rows["ts"][0]))["off"]
    strange = _strange_series(rows, off, frequency, zone)
    if strange is None and not off.any():
        return None
    single = pl.when(off).then(pl.lit(f"not on the step of {_WORDS[frequency]}"))
    if strange is None:
        return _PartCheck(rows.select(single.alias("reason"))["reason"])
    foreign = rows.select(pl.struct(_SERIES).is_in(strange.select(pl.struct(_SERIES)).to_series().implode())).to_series()
    spacing, due = _spacing(rows.filter(foreign)), _WORDS[frequency]
    owners = ", ".join(strange["location"].unique().sort()[:3])
    beside = rows.filter(foreign & off)["ts"].min()
    if spacing == due and isinstance(beside, datetime):
        # The distance is right, and the instants are beside the grid: half past the hour, noon for a day.
        wrong = whole = f"rows are {due} apart, but not on the step of {due}: {beside:%Y-%m-%d %H:%M} UTC"
    elif spacing == due:
        wrong = whole = f"most rows are less than {due} apart"
    else:
        wrong, whole = f"spacing {spacing}, the dataset's is {due}", f"spacing {spacing}, that of {owners} is {due}"
    reasons = rows.select(pl.when(foreign).then(pl.lit(whole)).otherwise(single).alias("reason"))["reason"]
    return _PartCheck(reasons, int(foreign.sum()), wrong)


def _off_grid(frequency: Frequency, zone: str, example: datetime) -> pl.Expr:
    step = frequency.step
    if step is not None:
        # Of zones that are half an hour off UTC the hours are, too.
        offset = (ZoneInfo(zone).utcoffset(example.astimezone(UTC).replace(tzinfo=None)) or timedelta()) % step
        micros = step // timedelta(microseconds=1)
        return (pl.col("ts").dt.epoch("us") + offset // timedelta(microseconds=1)) % micros != 0
    local = pl.col("ts").dt.convert_time_zone(zone)
    midnight = local.dt.truncate("1d") == local
    return ~midnight if frequency in (Frequency.DAY, Frequency.WEEK) else ~midnight | (local.dt.day() != 1)


def _strange_series(rows: pl.DataFrame, off: pl.Series, frequency: Frequency, zone: str) -> pl.DataFrame | None:
    """Return the series whose instants are not of this step; None where there is none."""
    strange: list[pl.DataFrame] = []
    if off.any():
        shares = rows.select(*_SERIES, off.alias("off")).group_by(_SERIES).agg(pl.col("off").mean())
        strange.append(shares.filter(pl.col("off") > 0.5).select(_SERIES))
    if not frequency.is_calendar and _is_regular(rows, frequency):
        series = pl.concat(strange) if strange else None
    else:
        spaced = _spaced_otherwise(rows, frequency, zone)
        series = pl.concat([*strange, spaced]).unique()
    return None if series is None or series.is_empty() else series


def _is_regular(rows: pl.DataFrame, frequency: Frequency) -> bool:
    """Test whether every series has all instants of the file, and some are one step apart, as in most files: then no series
    need be looked at alone. A file of a few instants is regular, because nothing can be told from them.
    """
    instants = rows["ts"].unique().sort()
    if instants.len() < _ENOUGH:
        return True
    if not (instants.diff().drop_nulls() == frequency.step).any():
        return False
    return rows.height == instants.len() * rows.select(pl.struct(_SERIES).n_unique()).item()


def _spaced_otherwise(rows: pl.DataFrame, frequency: Frequency, zone: str) -> pl.DataFrame:
    """Return the series all of whose instants are spaced as those of one coarser step, or mostly closer than their own."""
    local = pl.col("ts").dt.convert_time_zone(zone)
    spaces = (
        rows.select(*_SERIES, "ts")
        .unique()
        .sort(*_SERIES, "ts")
        .with_columns(
            hours=pl.col("ts").diff().over(_SERIES).dt.total_minutes() / 60,
            first=(local.dt.day() == 1) & (local.dt.truncate("1d") == local),
        )
    )
    about = (
        spaces.with_columns(step=_step_of(pl.col("hours")))
        .group_by(_SERIES)
        .agg(
            pl.col("hours").count().alias("count"),
            (pl.col("step").n_unique() - pl.col("step").is_null().any().cast(pl.UInt32)).alias("steps"),
            pl.col("step").count().alias("known"),
            pl.col("step").max().alias("step"),
            (pl.col("hours") < _least(frequency)).mean().alias("closer"),
            pl.col("first").all(),
        )
    )
    one_step = (pl.col("known") == pl.col("count")) & (pl.col("steps") == 1) & (pl.col("step") > frequency.order)
    months = pl.col("first") & (pl.col("step") >= Frequency.MONTH.order)
    coarser = one_step & ((pl.col("count") >= _ENOUGH) | months)
    return about.filter((coarser | (pl.col("closer") > 0.5)).fill_null(False)).select(_SERIES)


def _step_of(hours: pl.Expr) -> pl.Expr:
    """Return the ``order`` of the step that a distance is of; null where it is of none."""
    return pl.coalesce(pl.when(hours.is_between(low, high)).then(step.order) for step, low, high in _DISTANCES)


def _least(frequency: Frequency) -> float:
    return next(low for step, low, _ in _DISTANCES if step is frequency)


def _spacing(rows: pl.DataFrame) -> str:
    """Return the usual distance of the instants of a series, in words."""
    hours = (
        rows.select(*_SERIES, "ts")
        .unique()
        .sort(*_SERIES, "ts")
        .select((pl.col("ts").diff().over(_SERIES).dt.total_seconds() / 3600).drop_nulls().mode().min())
        .item()
    )
    if hours is None:
        return "unknown"
    step = next((_WORDS[step] for step, low, high in _DISTANCES if low <= hours <= high), "")
    return step or str(timedelta(hours=hours))
