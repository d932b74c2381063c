"""The meaning of each measure of each dataset, in terms that hold across sources; the models tell prices from loads by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from aurum.pipelines.source import Dataset, Measure


class Family(StrEnum):
    """A kind of series that models treat alike."""

    LMP = "lmp"
    LOAD = "load"
    GENERATION = "generation"
    EXTERNAL = "external"
    """Series of EIA, FRED and commodities that belong to no market."""
    FX = "fx"
    DROUGHT = "drought"
    WEATHER = "weather"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a measure. ``role``: its part within the family. ``variant``: distinguishes equal roles (run, fuel)."""

    family: Family
    role: str
    variant: str = ""


_STEP = r"(?:_(?P<step>\d+min))?"
_PRICE = re.compile(r"(?:(?P<run>da|rt)_)?(?P<role>lmp|energy|congestion|loss|ghg)")
_AUCTION = re.compile(r"price_(?P<variant>\d+min(?:_seq\d)?)")
_LOAD = re.compile(rf"load(?P<forecast>_forecast)?{_STEP}")
_FUEL = re.compile(rf"(?P<role>generation_forecast|generation|consumption)_(?P<fuel>.+?){_STEP}")
_AREA = re.compile(r"area_(?P<category>none|d[0-4])")
_TOTALS = frozenset({"net_to_grid", "renewables"})
"""Measures that are sums of other measures of the same dataset; added to them they would count twice."""
_WEATHER = frozenset({"dew_point", "dry_bulb"})
_INTERCHANGE = frozenset({"flow", "net_interchange"})
_EXTERNAL = frozenset({"eia", "fred", "datahub"})


def meaning_of(dataset: Dataset, measure: Measure) -> Meaning | None:
    """Return the meaning of a measure; None for measures that no model uses (flows, limits, reserves)."""
    if dataset.source == "noaa" or measure.name in _WEATHER:
        return Meaning(Family.WEATHER, measure.name)
    if dataset.source == "drought_monitor":
        return _drought(dataset, measure)
    if re.fullmatch(r"rate(_[a-z]+)?", measure.name):
        return Meaning(Family.FX, "rate")
    meaning = _price(dataset, measure) or _load(measure) or _generation(measure)
    if meaning is None and dataset.source in _EXTERNAL and dataset.market is None and measure.name not in _INTERCHANGE:
        return Meaning(Family.EXTERNAL, measure.name)
    return meaning


def _price(dataset: Dataset, measure: Measure) -> Meaning | None:
    if dataset.market is None or not measure.unit.endswith("/MWh"):
        return None
    if measure.name.startswith("spp"):
        return Meaning(Family.LMP, "lmp", measure.name.removeprefix("spp").removeprefix("_"))
    if match := _AUCTION.fullmatch(measure.name):
        return Meaning(Family.LMP, "lmp", match["variant"])
    if match := _PRICE.fullmatch(measure.name):
        return Meaning(Family.LMP, match["role"], match["run"] or "")
    return None


def _load(measure: Measure) -> Meaning | None:
    if match := _LOAD.fullmatch(measure.name):
        return Meaning(Family.LOAD, "forecast" if match["forecast"] else "load", match["step"] or "")
    return {
        "da_demand": Meaning(Family.LOAD, "cleared", "da"),
        "rt_demand": Meaning(Family.LOAD, "load", "rt"),
        "system_load": Meaning(Family.LOAD, "load", "system"),
    }.get(measure.name)


def _generation(measure: Measure) -> Meaning | None:
    if measure.name == "generation":
        return Meaning(Family.GENERATION, "total")
    match = _FUEL.fullmatch(measure.name)
    if match is None:
        return None
    if match["fuel"] in _TOTALS:
        return Meaning(Family.GENERATION, "total", match["fuel"])
    role = {"generation": "fuel", "generation_forecast": "forecast"}.get(match["role"], match["role"])
    return Meaning(Family.GENERATION, role, match["fuel"])


def _drought(dataset: Dataset, measure: Measure) -> Meaning | None:
    if match := _AREA.fullmatch(measure.name):
        return Meaning(Family.DROUGHT, dataset.name.replace("area_percent", "area"), match["category"])
    return Meaning(Family.DROUGHT, measure.name)
