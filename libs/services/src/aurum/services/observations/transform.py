"""Transformation of stored frames to frames of the answer: block, unit, currency and step, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from aurum.core.calendars import block_mask
from aurum.core.currency import MissingRate, Rates, convert_currency
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.series.coverage import NativeSteps, counted_values, native_steps, with_coverage
from aurum.core.series.model import Series
from aurum.core.series.resample import interval_end, resample
from aurum.core.units import Unit, convert, in_currency, parse_unit
from aurum.services.observations.plan import ReadPlan

RatesByPair = Mapping[tuple[str | None, str | None], Rates | None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion from the unit of a series to the unit of the answer."""

    source: Unit
    target: Unit

    @property
    def exchanges(self) -> bool:
        """Whether the currency changes, so that exchange rates are needed."""
        return self.source.currency != self.target.currency and None not in (self.source.currency, self.target.currency)


def conversion(series: Series, plan: ReadPlan) -> Conversion | None:
    """Return the unit conversion that a plan asks for a series; None if it asks for none. Raises ``InvalidParameters``."""
    return conversion_of(series.spec.unit, plan.unit, plan.currency)


def conversion_of(own: str, unit: Unit | None, currency: str | None) -> Conversion | None:
    """Return the conversion of values in a unit of their own; None if none is asked for. Raises ``InvalidParameters``.

    ``unit``: the target; None: that of the values. ``currency``: ISO 4217 code of the target; None: that of the unit.
    """
    if unit is None and currency is None:
        return None
    source = parse_unit(own)
    target = unit or source
    if currency is not None:
        try:
            target = in_currency(target, currency)
        except UnknownName as error:
            raise InvalidParameters(("currency", error.detail, currency), nearest=list(error.nearest)) from error
        except Invalid as error:
            raise InvalidParameters(("currency", error.detail, currency)) from error
    return Conversion(source, target)


def unit_of(series: Series, plan: ReadPlan) -> tuple[str, str | None]:
    """Return the unit and the currency of a series' values in the answer to a plan."""
    change = conversion(series, plan)
    return (series.spec.unit, series.spec.currency) if change is None else (str(change.target), change.target.currency)


def transformed(frame: pl.DataFrame, series: Series, plan: ReadPlan, rates: RatesByPair) -> pl.DataFrame:
    """Apply a plan to observations of one series, or of one group of ``group_for`` (then with column ``series_id``).

    Raises ``InvalidParameters``.
    """
    by = [name for name in ("series_id",) if name in frame.columns]
    if (block := plan.block_of(series)) is not None:
        frame = frame.filter(block_mask(frame["ts"], block))
    if (change := conversion(series, plan)) is not None:
        frame = _converted(frame, series, plan, change, rates)
    if plan.freq is not None:
        try:
            frame = resample(
                frame,
                series_frequency=series.spec.frequency,
                freq=plan.freq,
                agg=plan.agg,
                zone=plan.zone_of(series),
                by=by,
                counted=counted_values(native_steps_of(series), freq=plan.freq),
            )
        except Invalid as error:
            raise InvalidParameters(("freq", error.detail, str(plan.freq))) from error
        if plan.span.start is not None:
            frame = frame.filter(pl.col("ts") >= plan.span.start)
        if plan.span.end is not None:
            frame = frame.filter(pl.col("ts") < plan.span.end)
    return frame


def with_end(frame: pl.DataFrame, series: Series, plan: ReadPlan) -> pl.DataFrame:
    """Return the frame with the end of each interval in column ``end``; null if the series is irregular."""
    frequency = plan.interval_of(series)
    if frequency.step is not None:
        # The common case avoids the expression engine, which takes longer to plan a slice of a day than to compute it.
        return frame.with_columns((frame["ts"] + frequency.step).alias("end"))
    # Stored intervals end on the clock of their series, whatever the time zone of the answer.
    zone = series.spec.zone if plan.freq is None else plan.zone_of(series)
    return frame.with_columns(interval_end(pl.col("ts"), frequency, zone).alias("end"))


def completed(frame: pl.DataFrame, series: Series, plan: ReadPlan) -> pl.DataFrame:
    """Return a transformed frame with the ends of its intervals, and with ``COVERAGE`` where the plan aggregates.

    ``series``: the series of the frame, or one of a group of ``group_for``.
    """
    frame = with_end(frame, series, plan)
    if plan.freq is None:
        return frame
    return with_coverage(
        frame,
        steps=native_steps_of(series),
        freq=plan.freq,
        zone=plan.zone_of(series),
        block=plan.block_of(series),
        min_coverage=plan.min_coverage,
    )


def native_steps_of(series: Series) -> NativeSteps:
    """Return the steps of a stored series; its last value gives their phase."""
    spec = series.spec
    return native_steps(spec.frequency, spec.zone, series.last_ts, spec.business_days)


def group_for(series: Sequence[Series], plan: ReadPlan) -> list[list[Series]]:
    """Return the groups of ``group_alike``; where the plan aggregates, those of calendar steps divided by their native steps.

    Weekly series that end on different weekdays have a different number of steps in a month.
    """
    groups = group_alike(series)
    if plan.freq is None:
        return groups
    divided: list[list[Series]] = []
    for group in groups:
        if group[0].spec.frequency.is_calendar:
            by_steps: dict[NativeSteps, list[Series]] = {}
            for one in group:
                by_steps.setdefault(native_steps_of(one), []).append(one)
            divided.extend(by_steps.values())
        else:
            divided.append(group)
    return divided


def group_alike(series: Sequence[Series]) -> list[list[Series]]:
    """Return the series in groups of equal market, step, interval, unit, currency and zone, for which one call suffices."""
    groups: dict[tuple[object, ...], list[Series]] = {}
    for one in series:
        spec = one.spec
        groups.setdefault((spec.market, spec.frequency, spec.interval, spec.unit, spec.currency, spec.zone), []).append(one)
    return list(groups.values())


def _converted(frame: pl.DataFrame, series: Series, plan: ReadPlan, change: Conversion, rates: RatesByPair) -> pl.DataFrame:
    source, target = change.source, change.target
    try:
        rate = rates[source.currency, target.currency] if change.exchanges else None
        if rate is not None:
            return convert_currency(frame, rate, source=source, target=target, zone=series.spec.zone)
        return frame.with_columns(convert(frame["value"], source, target).alias("value"))
    except MissingRate as error:
        raise InvalidParameters(("currency", error.detail, target.currency), **dict(error.facts)) from error
    except Invalid as error:
        raise InvalidParameters(("unit", error.detail, str(plan.unit or plan.currency)), **dict(error.facts)) from error
