"""Closed lists of the dimensions that make series of different markets comparable: kinds, market runs, fuels, components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from aurum.core.errors import UnknownName
from aurum.core.names import nearest


class Kind(StrEnum):
    """The quantity that a series measures, whatever its source calls it."""

    PRICE = "price"
    """A price of energy or one of its components; the measure says which."""
    ANCILLARY_PRICE = "ancillary_price"
    SHADOW_PRICE = "shadow_price"
    LOAD = "load"
    """Consumption, that of pumps and of charging storage included."""
    LOAD_FORECAST = "load_forecast"
    GENERATION = "generation"
    GENERATION_FORECAST = "generation_forecast"
    CAPACITY = "capacity"
    """Power that plants could produce: installed, or available."""
    OUTAGE = "outage"
    FLOW = "flow"
    """Power between areas as metered: flows, imports, exports, interchange."""
    SCHEDULE = "schedule"
    """Commercial and cleared quantities."""
    LIMIT = "limit"
    """Capacity of lines and borders."""
    RESERVE = "reserve"
    """Reserve power, required or cleared."""
    OFFER = "offer"
    MARGIN = "margin"
    CURTAILMENT = "curtailment"
    STORAGE_LEVEL = "storage_level"
    """The level of a store, or its change."""
    FUEL_PRICE = "fuel_price"
    FUTURES_PRICE = "futures_price"
    AUCTION_PRICE = "auction_price"
    POSITION = "position"
    WEATHER = "weather"
    DROUGHT = "drought"
    FX = "fx"
    MACRO = "macro"
    """Statistics of an economy or of its use of energy."""
    OTHER = "other"
    """None of the above; also a series that an older release stored, until its next load."""


class MarketRun(StrEnum):
    """The run of a market, or the stage of a number on its way from forecast to settlement."""

    DAY_AHEAD = "day_ahead"
    RESIDUAL_COMMITMENT = "residual_commitment"
    HOUR_AHEAD = "hour_ahead"
    FIFTEEN_MINUTE = "fifteen_minute"
    REAL_TIME = "real_time"
    INTRADAY_AUCTION = "intraday_auction"
    INTRADAY = "intraday"
    """Continuous trading."""
    BALANCING = "balancing"
    AUCTION = "auction"
    FORECAST = "forecast"
    ESTIMATE = "estimate"
    PRELIMINARY = "preliminary"
    SETTLEMENT = "settlement"
    """Verified by the operator, the numbers that it settles with."""


class Fuel(StrEnum):
    """Groups of fuels, the same for every market."""

    COAL = "coal"
    GAS = "gas"
    OIL = "oil"
    DUAL_FUEL = "dual_fuel"
    """Gas or oil, not told apart."""
    FOSSIL_OTHER = "fossil_other"
    NUCLEAR = "nuclear"
    HYDRO = "hydro"
    PUMPED_STORAGE = "pumped_storage"
    WIND = "wind"
    SOLAR = "solar"
    GEOTHERMAL = "geothermal"
    MARINE = "marine"
    BIOMASS = "biomass"
    WASTE = "waste"
    RENEWABLE_OTHER = "renewable_other"
    BATTERY = "battery"
    OTHER = "other"
    """The operator's own rest."""
    UNKNOWN = "unknown"
    """The operator does not know."""
    UNMAPPED = "unmapped"
    """A word of the operator that ``fuels.toml`` does not have."""


FUEL_DETAILS: Mapping[Fuel, tuple[str, ...]] = MappingProxyType(
    {
        Fuel.COAL: ("hard_coal", "lignite", "coal_gas"),
        Fuel.GAS: ("gas_ccgt", "gas_ocgt", "gas_steam", "gas_chp", "gas_recip", "gas_wcmg"),
        Fuel.OIL: ("oil_shale", "diesel"),
        Fuel.FOSSIL_OTHER: ("peat", "multiple_fuels", "waste_heat"),
        Fuel.HYDRO: ("hydro_reservoir", "hydro_run_of_river", "hydro_small"),
        Fuel.WIND: ("wind_onshore", "wind_offshore"),
        Fuel.SOLAR: ("solar_pv", "solar_thermal", "solar_rooftop"),
        Fuel.BIOMASS: ("wood", "biogas", "landfill_gas"),
        Fuel.WASTE: ("refuse",),
    }
)
"""The details of a fuel; fuels without details are absent."""

FUEL_LABEL = "fuel_as_published"
"""Label of a series that holds the operator's own word for the fuel."""

_Name = TypeVar("_Name", bound=StrEnum)


class Component(StrEnum):
    """The part of a price of energy that a series of kind ``price`` has. It follows from the name of its measure."""

    TOTAL = "total"
    ENERGY = "energy"
    CONGESTION = "congestion"
    LOSS = "loss"
    GHG = "ghg"
    """The cost of greenhouse gas allowances."""


def component_pattern(component: Component | None = None) -> str:
    """Return the regular expression of the measures of a component but the total; None: of all of them.

    PostgreSQL and Python read it alike. ``rt_energy`` is the energy component of ``rt_lmp``.
    """
    names = [str(one) for one in Component if one is not Component.TOTAL] if component is None else [str(component)]
    return f"(^|_)({'|'.join(names)})$"


def component_of(measure: str) -> Component:
    """Return the component of a price by its measure.

    >>> component_of("spp"), component_of("da_congestion")
    (<Component.TOTAL: 'total'>, <Component.CONGESTION: 'congestion'>)
    """
    named = re.search(component_pattern(), measure)
    return Component(named[2]) if named is not None else Component.TOTAL


def parse_component(text: str) -> Component:
    """Return a component by its name. Raises ``UnknownName`` with the nearest ones."""
    return _parsed("component", text, Component)


def parse_kind(text: str) -> Kind:
    """Return a kind by its name. Raises ``UnknownName`` with the nearest kinds."""
    return _parsed("kind", text, Kind)


def parse_market_run(text: str) -> MarketRun:
    """Return a market run by its name. Raises ``UnknownName`` with the nearest runs."""
    return _parsed("market_run", text, MarketRun)


def parse_fuel(text: str) -> Fuel:
    """Return a group of fuels by its name, in upper or lower case. Raises ``UnknownName`` with the nearest groups.

    >>> parse_fuel("Pumped_Storage")
    <Fuel.PUMPED_STORAGE: 'pumped_storage'>
    """
    return _parsed("fuel", text, Fuel)


def location_type_as_compared(text: str) -> str:
    """Return a type of location as filters compare it: sources write ``HUB`` and ``hub``, ``LOAD ZONE`` and ``load_zone``.

    >>> location_type_as_compared("LOAD ZONE")
    'load_zone'
    """
    return text.lower().replace(" ", "_").replace("-", "_")


def stored_kind(name: str | None) -> Kind:
    """Return the kind that a store has of a series.

    One that only a newer release knows counts as ``OTHER``, because releases run on the stores of newer ones; so does none.
    """
    return Kind(name) if name in _KINDS else Kind.OTHER


def stored_market_run(name: str | None) -> MarketRun | None:
    """Return the market run that a store has of a series; None for none, and for one that only a newer release knows."""
    return MarketRun(name) if name in _RUNS else None


def stored_fuel(name: str | None) -> Fuel | None:
    """Return the fuel that a store has of a series; ``UNMAPPED`` for one that only a newer release knows."""
    if name is None:
        return None
    return Fuel(name) if name in _FUELS else Fuel.UNMAPPED


_KINDS, _RUNS, _FUELS = frozenset(Kind), frozenset(MarketRun), frozenset(Fuel)


def _parsed(what: str, text: str, names: type[_Name]) -> _Name:
    name = text.strip().lower()
    known: Iterable[str] = tuple(names)
    if name not in known:
        raise UnknownName(what, text, nearest(name, known) or tuple(known))
    return names(name)
