"""Shapes: the form of the local day by kind of day and hour, learned from hourly prices, and periods shaped by it.

A shape holds the mean price of each (Monday to Friday, Saturday, Sunday) by hour of the local clock, of the whole window or of
each calendar month of it. Divided by the mean of the window these are factors, less that mean they are offsets (a deterministic
season by dummies: Lucia and Schwartz 2002, Electricity prices and power derivatives). The repeated hour in autumn has the form
of its hour twice, the missing hour in spring none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.smooth import Floats
from aurum.core.errors import Invalid

MULTIPLICATIVE_FROM = 0.25
"""Part of the mean of the learning window from which ``Profile.AUTO`` multiplies. Near and below zero, a form that multiplies
is lost or turned upside down."""

Instants = NDArray[np.datetime64]

KINDS = ("Monday to Friday", "Saturday", "Sunday")
"""Kinds of day of a shape."""

_HOURS = 24
_STRIDE = 24
_SPARSE = 2 * 86_400_000_000
"""Two days, in microseconds: between looked-up instants further apart, clocks could change twice."""
_MONTHS = 12
_FRIDAY = 5
"""ISO number of Friday."""


class Profile(StrEnum):
    """How the form of a shape is laid around a price."""

    AUTO = "auto"
    """Multiplicative where the price is at least a quarter of the mean of the learning window, else additive."""
    MULTIPLICATIVE = "multiplicative"
    """price * form / mean of the form"""
    ADDITIVE = "additive"
    """price + form - mean of the form"""


class InvalidShape(Invalid):
    """A shape that cannot be learned, read or applied. Facts: those of the reason, e.g. ``missing`` (kinds and hours)."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A learned shape. ``means``: (1 or 12, 3, 24) mean prices by month (1: of all months), kind of day and hour of the local
    clock, finite. ``mean``: mean price of the learning window. Both in the unit of the learned prices.
    """

    means: Floats
    mean: float

    @property
    def is_by_month(self) -> bool:
        """Whether each calendar month has a form of its own."""
        return len(self.means) == _MONTHS

    @property
    def factors(self) -> Floats:
        """The form as parts of the mean of the window: (1 or 12, 3, 24). Infinite or NaN where that mean is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.means / self.mean

    @property
    def offsets(self) -> Floats:
        """The form as differences from the mean of the window: (1 or 12, 3, 24)."""
        return self.means - self.mean

    def form(self, local: Instants) -> Floats:
        """Return the mean price of the hour of each instant: (cells,), the prior of a build. ``local``: ``wall_clock``."""
        return self.means.reshape(-1)[_slots(local, by_month=self.is_by_month)]

    def form_of_days(self, first: date, end: date) -> Floats:
        """Return the mean price over the 24 hours of each day in ``[first, end)``: (days,), the prior of a build on days."""
        days = np.arange(np.datetime64(first, "D"), np.datetime64(end, "D")).astype("datetime64[us]")
        by_day = self.means.mean(axis=2).reshape(-1)
        return by_day[_slots(days, by_month=self.is_by_month) // _HOURS]

    def to_document(self) -> dict[str, object]:
        """Return the shape as JSON-representable values; ``shape_from_document`` reads it back, exactly."""
        return {"mean": self.mean, "means": self.means.tolist()}


def wall_clock(instants: Instants, zone: str) -> Instants:
    """Return the naive local times, ``datetime64[us]``, that the clock of a zone shows at UTC instants, ``datetime64[us]``.

    Of ascending instants every 24th is looked up in the zone database, and those between only where the offset changes.
    """
    at = instants.astype(np.int64)
    if len(at) <= _STRIDE or (np.diff(at) < 0).any():
        return _looked_up(instants, zone)
    samples = np.append(np.arange(0, len(at) - 1, _STRIDE), len(at) - 1)
    offsets = (_looked_up(instants[samples], zone) - instants[samples]).astype(np.int64)
    has_change = (np.diff(offsets) != 0) | (np.diff(at[samples]) > _SPARSE)
    counts = np.diff(samples)
    local = np.append(at[:-1] + np.repeat(offsets[:-1], counts), at[-1] + offsets[-1]).astype("datetime64[us]")
    again = np.append(np.repeat(has_change, counts), False)
    if again.any():
        local[again] = _looked_up(instants[again], zone)
    return local


def _looked_up(instants: Instants, zone: str) -> Instants:
    series = pl.Series(instants.astype("datetime64[us]")).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return series.dt.replace_time_zone(None).to_numpy()


def learn_shape(local: Instants, values: Floats, *, by_month: bool = False) -> Shape:
    """Return the shape of prices.

    ``local``: starts of equally long intervals on the local clock (``wall_clock``), ``datetime64[us]``, in any order.
    ``values``: their prices; NaN: missing, left out. ``by_month``: a form for each calendar month. Raises ``InvalidShape``: an
    hour of a kind of day (and month) without any price.
    """
    is_known = np.isfinite(values)
    slots = _slots(local, by_month=by_month)[is_known]
    prices = values[is_known]
    size = (_MONTHS if by_month else 1) * len(KINDS) * _HOURS
    counts = np.bincount(slots, minlength=size)
    if not counts.all():
        missing = [_slot_name(slot, by_month=by_month) for slot in np.flatnonzero(counts == 0).tolist()]
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InvalidShape(f"the window has no price for {', '.join(missing[:3])}{more}", missing=missing[:20])
    sums = np.bincount(slots, weights=prices, minlength=size)
    return Shape((sums / counts).reshape(-1, len(KINDS), _HOURS), float(prices.mean()))


def shape_from_document(document: Mapping[str, object]) -> Shape:
    """Return the shape of a document of ``Shape.to_document``. Raises ``InvalidShape``."""
    try:
        means = np.array(document["means"], np.float64)
        mean = float(cast("float", document["mean"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidShape(f"a shape has 'mean', a number, and 'means', an array of numbers: {error}") from None
    if means.shape[1:] != (len(KINDS), _HOURS) or len(means) not in (1, _MONTHS):
        raise InvalidShape(f"'means' has the shape {list(means.shape)}, not [1 or 12, 3, 24]", shape=list(means.shape))
    if not (np.isfinite(means).all() and math.isfinite(mean)):
        raise InvalidShape("'mean' and 'means' must be finite numbers")
    return Shape(means, mean)


def is_multiplied(prices: Floats, means: Floats, profile: Profile, window_mean: float) -> NDArray[np.bool_]:
    """Return where a form is scaled to its price and not shifted. ``means``: of the form, over the periods of ``prices``."""
    if profile is Profile.ADDITIVE:
        return np.zeros(len(prices), np.bool_)
    if profile is Profile.MULTIPLICATIVE:
        return means > 0
    return (means > 0) & (window_mean > 0) & (prices >= MULTIPLICATIVE_FROM * window_mean)


def _slots(local: Instants, *, by_month: bool) -> NDArray[np.int64]:
    """Return (month, kind of day, hour) as one number for each local time."""
    days = local.astype("datetime64[D]")
    hour = (local.astype("datetime64[h]") - days.astype("datetime64[h]")).astype(np.int64)
    unique, which = _runs(days)
    weekday = (unique.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    kind = np.maximum(weekday - (_FRIDAY - 1), 0)
    if by_month:
        kind += unique.astype("datetime64[M]").astype(np.int64) % _MONTHS * len(KINDS)
    return (kind * _HOURS)[which] + hour


def _runs(days: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    """Return the first of each run of equal days, and the run of each."""
    is_new = np.append(True, days[1:] != days[:-1]) if len(days) else np.zeros(0, np.bool_)
    return days[is_new], np.cumsum(is_new) - 1


def _slot_name(slot: int, *, by_month: bool) -> str:
    month, rest = divmod(slot, len(KINDS) * _HOURS)
    kind, hour = divmod(rest, _HOURS)
    return f"{KINDS[kind]} {hour:02d}:00" + (f" in month {month + 1}" if by_month else "")
