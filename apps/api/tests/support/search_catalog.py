"""A catalog as it is after files of every registered dataset: all named places, and the declared measures of each dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from aurum.core.catalog import Kind
from aurum.core.catalog.places import place_names
from aurum.core.keys import SeriesKey
from aurum.core.series.model import SeriesSpec
from aurum.pipelines.kinds import kind_of_unit
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Dataset
from aurum.pipelines.sources.entsoe.codes import AREAS
from aurum.pipelines.sources.fred.datasets import KNOWN
from aurum.pipelines.sources.isone.datasets import PLACES
from aurum.pipelines.sources.nyiso.zones import LOAD_ZONES, NEIGHBOURS


@dataclass(frozen=True, slots=True)
class _Place:
    location: str
    name: str = ""
    kind: str = ""


_PJM_HUBS = {
    "51288": "WESTERN HUB",
    "51217": "EASTERN HUB",
    "51287": "WEST INT HUB",
    "34497127": "AEP-DAYTON HUB",
    "34497125": "AEP GEN HUB",
    "33092315": "N ILLINOIS HUB",
    "33092313": "CHICAGO HUB",
    "33092311": "CHICAGO GEN HUB",
    "35010337": "DOMINION HUB",
    "4669664": "NEW JERSEY HUB",
    "34497151": "OHIO HUB",
    "116013751": "ATSI GEN HUB",
}
_INTERFACES = {"23330": "CENTRAL EAST - VC", "23324": "SCH - HQ - NY", "23316": "SCH - PJ - NY", "23314": "TOTAL EAST"}
_EIA_SERIES = {
    "navigator_daily": {
        "RNGWHHD": "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)",
        "RWTC": "Cushing, OK WTI Spot Price FOB",
    },
    "navigator_monthly": {"RNGWHHD": "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)"},
    "navigator_annual": {"RNGWHHD": "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)"},
    "api_weekly": {
        "WCRFPUS2": "Weekly U.S. Field Production of Crude Oil (Thousand Barrels per Day)",
        "WCESTUS1": "Weekly U.S. Ending Stocks excluding SPR of Crude Oil (Thousand Barrels)",
        "WGTSTUS1": "Weekly U.S. Ending Stocks of Total Gasoline (Thousand Barrels)",
        "WDISTUS1": "Weekly U.S. Ending Stocks of Distillate Fuel Oil (Thousand Barrels)",
    },
    "rto_region": {
        "PJM": "PJM Interconnection, LLC",
        "CISO": "California Independent System Operator",
        "BPAT": "Bonneville Power Administration",
    },
    "rto_fuel": {"BANC": "Balancing Authority of Northern California", "ERCO": "Electric Reliability Council of Texas, Inc."},
    "rto_interchange": {"CISO-BPAT": "California Independent System Operator to Bonneville Power Administration"},
    "gas_storage_weekly": {"R48": "Lower 48 States", "R31": "East Region", "R33": "South Central Region"},
}
_CAISO: Mapping[str, Callable[[str], bool]] = {
    "prc": lambda location: "APND" in location or location.startswith("0096"),
    "ene": lambda location: location == "Caiso_Totals" or location.startswith("TAC_"),
    "sld": lambda location: location.endswith("-TAC") or location in ("NP15", "SP15", "ZP26"),
    "daily": lambda location: location == "CAISO",
}
"""Which places a dataset has, by the first word of its name."""
_CURRENCIES = ("AUD", "CAD", "CHF", "CNY", "GBP", "JPY", "NOK", "PLN", "SEK", "USD")
_COUNTRIES = ("Australia", "Canada", "China", "Euro", "Japan", "Norway", "Sweden", "Switzerland", "United Kingdom")
_COUNTRIES_OF_EUROPE = ("Germany", "Germany-Luxembourg", "France", "Spain", "Sweden", "Netherlands", "Luxembourg")
_STATIONS = {"USC00124260": "INDIANAPOLIS WEATHER FORECAST OFFICE, IN US"}


def search_catalog() -> list[SeriesSpec]:
    """Return the description of every series of the catalog."""
    return [spec for source in default_registry().sources for dataset in source.datasets for spec in _series(dataset)]


def _series(dataset: Dataset) -> Iterator[SeriesSpec]:
    for place in _places(dataset):
        for measure in dataset.measures:
            if dataset.source == "entsoe" and "_15min" not in measure.name:
                continue
            said = dataset.dimensions(measure.name)
            facts = KNOWN.get(place.location) if dataset.source == "fred" else None
            unit = facts.unit if facts is not None else measure.unit
            currency = facts.currency if facts is not None else measure.currency
            yield SeriesSpec(
                key=SeriesKey(dataset.source, dataset.name, place.location, measure.name),
                unit=unit,
                currency=currency,
                frequency=facts.frequency if facts is not None else dataset.frequency,
                zone=dataset.zone,
                market=dataset.market,
                location_name=place.name,
                location_type=place.kind,
                kind=_kind_of(unit, currency) if dataset.source == "fred" or "navigator" in dataset.name else said.kind,
                market_run=said.market_run,
                fuel=said.fuel,
                fuel_detail=said.fuel_detail,
            )


@cache
def _kind_of(unit: str, currency: str | None) -> Kind:
    return Kind(
        pl.DataFrame({"unit": [unit], "currency": [currency]}, schema=dict.fromkeys(("unit", "currency"), pl.String))
        .select(kind_of_unit())
        .item()
    )


def _places(dataset: Dataset) -> list[_Place]:
    named = [_Place(place.location, place.name, place.kind) for place in place_names() if place.source == dataset.source]
    match dataset.source:
        case "nyiso":
            return _of_new_york(dataset.name)
        case "pjm" if "lmp" in dataset.name:
            return [_Place("1", "PJM-RTO", "ZONE"), *_of(_PJM_HUBS, "HUB")]
        case "pjm":
            return [_Place("RTO", "RTO", "AREA"), _Place("AEP", "AEP", "AREA")]
        case "isone" if dataset.name == "smd_hourly":
            return [_Place("CT", "Connecticut", "LOAD ZONE"), _Place("NEMA", "Northeast Massachusetts and Boston", "LOAD ZONE")]
        case "isone":
            return [*(_Place(location, name, "LOAD ZONE" if ".Z." in name else "HUB") for name, location in PLACES.items())]
        case "entsoe":
            return [
                _Place(code, area.name, "area") for code, area in AREAS.items() if area.name.split()[0] in _COUNTRIES_OF_EUROPE
            ]
        case "fred":
            return [*_of({name: facts.title for name, facts in KNOWN.items()}, "series"), *named]
        case "ecb":
            return [_Place(f"EUR{code}", f"Euro in {code}", "currency pair") for code in _CURRENCIES]
        case "eia" if dataset.name in _EIA_SERIES:
            return list(_of(_EIA_SERIES[dataset.name], "series"))
        case "eia":
            return named if dataset.name == "wholesale_hubs" else []
        case "datahub":
            return _of_datahub(dataset.name)
        case "noaa":
            return named if dataset.name == "ghcn_daily" else list(_of(_STATIONS, "station"))
        case "spp":
            return [*named, _Place("OKGE_OKGE"), _Place("CSWS_HUB")]
        case "caiso":
            return [place for place in [*named, _Place("0096WD_7_N001")] if _CAISO[dataset.name.split("_")[0]](place.location)]
        case _:
            return named


def _of_new_york(dataset: str) -> list[_Place]:
    zones = [_Place(ptid, name, "ZONE") for name, ptid in LOAD_ZONES.items()]
    if dataset.startswith("rtfuelmix"):
        return [_Place("NYISO", "New York Control Area", "AREA")]
    if dataset.startswith("external_limits"):
        return list(_of(_INTERFACES, "INTERFACE"))
    if dataset.endswith("_gen"):
        return [_Place("23512", "ALBANY___1", "GENERATOR")]
    if dataset.startswith("pal"):
        return zones
    if dataset == "isolf":
        return [*zones, _Place("NYISO", "NYISO", "AREA")]
    return [*zones, *(_Place(ptid, name, "EXTERNAL") for name, ptid in NEIGHBOURS.items())]


def _of_datahub(dataset: str) -> list[_Place]:
    if dataset.startswith("natural_gas"):
        return [_Place("henry_hub", "Henry Hub, Louisiana", "hub")]
    if dataset == "oil_daily":
        return [_Place("brent", "Brent crude oil, Europe", "hub"), _Place("wti", "WTI crude oil, Cushing, Oklahoma", "hub")]
    if dataset == "cpi_us":
        return [_Place("US", "United States", "country")]
    return [_Place(country, "", "country") for country in _COUNTRIES]


def _of(names: Mapping[str, str], kind: str) -> Iterator[_Place]:
    return (_Place(location, name, kind) for location, name in names.items())
