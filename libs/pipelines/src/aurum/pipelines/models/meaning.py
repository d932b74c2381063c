"""What the measures of each dataset mean, across sources: the one table by which models tell prices from loads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from aurum.pipelines.source import Dataset, Measure


class Family(StrEnum):
    """Kinds of series that models treat alike."""

    LMP = "lmp"
    LOAD = "load"
    GENERATION = "generation"
    EXTERNAL = "external"
    """EIA, FRED, commodities: numbers of no market."""
    FX = "fx"
    DROUGHT = "drought"
    WEATHER = "weather"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``role``: what the number is within its family. ``variant``: tells apart what has the same role (market run, fuel)."""

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
"""What is a sum of fuels that stand beside it: counted with them, it would count twice."""
_WEATHER = frozenset({"dew_point", "dry_bulb"})
_EXCHANGED = frozenset({"flow", "net_interchange"})
_EXTERNAL = frozenset({"eia", "fred", "datahub"})


def meaning_of(dataset: Dataset, measure: Measure) -> Meaning | None:
    """What a measure of a dataset means; None where no model asks for it (flows, limits, reserves)."""
    if dataset.source == "noaa" or measure.name in _WEATHER:
        return Meaning(Family.WEATHER, measure.name)
    if dataset.source == "drought_monitor":
        return _drought(dataset, measure)
    if re.fullmatch(r"rate(_[a-z]+)?", measure.name):
        return Meaning(Family.FX, "rate")
    found = _price(dataset, measure) or _load(measure) or _generation(measure)
    if found is None and dataset.source in _EXTERNAL and dataset.market is None and measure.name not in _EXCHANGED:
        return Meaning(Family.EXTERNAL, measure.name)
    return found


def _price(dataset: Dataset, measure: Measure) -> Meaning | None:
    if dataset.market is None or not measure.unit.endswith("/MWh"):
        return None
    if measure.name.startswith("spp"):
        return Meaning(Family.LMP, "lmp", measure.name.removeprefix("spp").removeprefix("_"))
    if found := _AUCTION.fullmatch(measure.name):
        return Meaning(Family.LMP, "lmp", found["variant"])
    if found := _PRICE.fullmatch(measure.name):
        return Meaning(Family.LMP, found["role"], found["run"] or "")
    return None


def _load(measure: Measure) -> Meaning | None:
    if found := _LOAD.fullmatch(measure.name):
        return Meaning(Family.LOAD, "forecast" if found["forecast"] else "load", found["step"] or "")
    return {
        "da_demand": Meaning(Family.LOAD, "cleared", "da"),
        "rt_demand": Meaning(Family.LOAD, "load", "rt"),
        "system_load": Meaning(Family.LOAD, "load", "system"),
    }.get(measure.name)


def _generation(measure: Measure) -> Meaning | None:
    if measure.name == "generation":
        return Meaning(Family.GENERATION, "total")
    found = _FUEL.fullmatch(measure.name)
    if found is None:
        return None
    if found["fuel"] in _TOTALS:
        return Meaning(Family.GENERATION, "total", found["fuel"])
    role = {"generation": "fuel", "generation_forecast": "forecast"}.get(found["role"], found["role"])
    return Meaning(Family.GENERATION, role, found["fuel"])


def _drought(dataset: Dataset, measure: Measure) -> Meaning | None:
    if found := _AREA.fullmatch(measure.name):
        return Meaning(Family.DROUGHT, dataset.name.replace("area_percent", "area"), found["category"])
    return Meaning(Family.DROUGHT, measure.name)
