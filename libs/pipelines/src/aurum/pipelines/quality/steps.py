"""Compares the step of a file with the step of its series: the grid that its instants lie on, and the spacing between them.

A file of another feed in the same layout (five-minute prices under the header of hourly ones, a daily series averaged by
month) has rows that fit, and those would revise good values. So a series is held back whole when most of its instants are off
its grid, or when all its distances are those of a coarser step; a file most of whose rows are of such series is refused.
Single rows off the grid are held back alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.frequency import Frequency
from aurum.pipelines.source import Parsed
from aurum.pipelines.spacing import HOURS, WORDS

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
    worst = max(checks, key=lambda check: check.misplaced)
    return StepCheck(by_row, worst.refusal(rows.height, misplaced=sum(check.misplaced for check in checks)))


@dataclass(frozen=True, slots=True)
class _PartCheck:
    """The result for the rows of one frequency.

    ``reasons``: as in ``StepCheck``. ``misplaced``: the number of rows of the series that are at another step.
    ``difference``: how their step differs, in words.
    """

    reasons: pl.Series
    misplaced: int = 0
    difference: str = ""

    def refusal(self, total: int, *, misplaced: int | None = None) -> str:
        """Return why a file of ``total`` rows is refused; empty where it is not.

        ``misplaced``: that number for all frequencies of the file; None: this is the only one.
        """
        if 2 * (self.misplaced if misplaced is None else misplaced) <= total:
            return ""
        return f"another step: {self.difference}; nothing of the file was stored"


def _check(rows: pl.DataFrame, frequency: Frequency, zone: str) -> _PartCheck | None:
    """Check the rows of one frequency; None where all fit."""
    if frequency is Frequency.IRREGULAR or rows.is_empty():
        return None
    off = rows.select(off=_off_grid(frequency, zone, rows["ts"][0]))["off"]
    series = _series_at_another_step(rows, off, frequency, zone)
    if series is None and not off.any():
        return None
    single = pl.when(off).then(pl.lit(f"not on the step of {WORDS[frequency]}"))
    if series is None:
        return _PartCheck(rows.select(single.alias("reason"))["reason"])
    misplaced = rows.select(pl.struct(_SERIES).is_in(series.select(pl.struct(_SERIES)).to_series().implode())).to_series()
    difference, reason = _difference(rows.filter(misplaced), rows.filter(misplaced & off), series, frequency)
    reasons = rows.select(pl.when(misplaced).then(pl.lit(reason)).otherwise(single).alias("reason"))["reason"]
    return _PartCheck(reasons, int(misplaced.sum()), difference)


def _difference(rows: pl.DataFrame, off_grid: pl.DataFrame, series: pl.DataFrame, frequency: Frequency) -> tuple[str, str]:
    """Return how the step of rows differs from ``frequency``: as the reason of a refused file, and as that of each row.

    ``off_grid``: the rows whose instants are no multiples of the step. ``series``: the series of the rows.
    """
    spacing, expected = _spacing(rows), WORDS[frequency]
    example = off_grid["ts"].min()
    if spacing != expected:
        locations = ", ".join(series["location"].unique().sort()[:3])
        return f"spacing {spacing}, the dataset's is {expected}", f"spacing {spacing}, that of {locations} is {expected}"
    if isinstance(example, datetime):
        # The distance is right, and the instants are beside the grid: half past the hour, noon for a day.
        text = f"rows are {expected} apart, but not on the step of {expected}: {example:%Y-%m-%d %H:%M} UTC"
    else:
        text = f"most rows are less than {expected} apart"
    return text, text


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


def _series_at_another_step(rows: pl.DataFrame, off: pl.Series, frequency: Frequency, zone: str) -> pl.DataFrame | None:
    """Return the series (location, measure) whose instants are not of this step; None where there is none.

    ``off``: whether each row is off the grid.
    """
    parts: list[pl.DataFrame] = []
    if off.any():
        shares = rows.select(*_SERIES, off.alias("off")).group_by(_SERIES).agg(pl.col("off").mean())
        parts.append(shares.filter(pl.col("off") > 0.5).select(_SERIES))
    if frequency.is_calendar or not _is_regular(rows, frequency):
        parts.append(_spaced_otherwise(rows, frequency, zone))
    series = pl.concat(parts).unique() if parts else None
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
    """Return the series whose instants are all spaced as at one coarser step, or mostly closer than this step allows."""
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
    summaries = (
        spaces.with_columns(step=_step_of(pl.col("hours")))
        .group_by(_SERIES)
        .agg(
            pl.col("hours").count().alias("count"),
            (pl.col("step").n_unique() - pl.col("step").is_null().any().cast(pl.UInt32)).alias("steps"),
            pl.col("step").count().alias("known"),
            pl.col("step").max().alias("step"),
            (pl.col("hours") < HOURS[frequency][0]).mean().alias("closer"),
            pl.col("first").all(),
        )
    )
    one_step = (pl.col("known") == pl.col("count")) & (pl.col("steps") == 1) & (pl.col("step") > frequency.order)
    months = pl.col("first") & (pl.col("step") >= Frequency.MONTH.order)
    coarser = one_step & ((pl.col("count") >= _ENOUGH) | months)
    return summaries.filter((coarser | (pl.col("closer") > 0.5)).fill_null(False)).select(_SERIES)


def _step_of(hours: pl.Expr) -> pl.Expr:
    """Return the ``order`` of the step that has a distance of ``hours``; null where none has."""
    return pl.coalesce(pl.when(hours.is_between(low, high)).then(step.order) for step, (low, high) in HOURS.items())


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
    step = next((WORDS[step] for step, (low, high) in HOURS.items() if low <= hours <= high), "")
    return step or str(timedelta(hours=hours))
