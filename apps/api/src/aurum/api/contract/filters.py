"""Filters of lists, named like the fields of a series that they compare. Without a filter, all items are listed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Query

from aurum.api.contract.text import Text
from aurum.core.catalog.dimensions import (
    Component,
    Fuel,
    Kind,
    MarketRun,
    parse_component,
    parse_fuel,
    parse_kind,
    parse_market_run,
)
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.observations.sparklines import POINTS

SourceFilter = Annotated[
    Text | None, Query(description="Only items of this source, by its name in `/v2/catalog/sources`.", examples=["nyiso"])
]
DatasetFilter = Annotated[
    Text | None,
    Query(description="Only items of this dataset, by its name in `/v2/catalog/datasets`.", examples=["damlbmp_zone"]),
]
MarketFilter = Annotated[
    Text | None,
    Query(
        description="Only items of this market, by its code in `/v2/catalog/markets`, in upper or lower case.",
        examples=["NYISO"],
    ),
]
MeasureFilter = Annotated[
    Text | None, Query(description="Only series of this measure, such as `lmp` or `load`.", examples=["lmp"])
]
LocationFilter = Annotated[
    Text | None,
    Query(description="Only series at this location, by its source's own id; see `/v2/catalog/locations`.", examples=["61761"]),
]
SeriesFilter = Annotated[
    Text | None, Query(description="Only this series, by its key.", examples=["nyiso:damlbmp_zone:61761:lmp"])
]
KindFilter = Annotated[
    Text | None,
    Query(
        description="Only series of this kind of quantity, the same for every source.",
        examples=["generation"],
        json_schema_extra={"enum": [*Kind, None]},
    ),
]
MarketRunFilter = Annotated[
    Text | None,
    Query(
        description="Only series of this run of a market, or of this stage of a number (`forecast`, `settlement`).",
        examples=["day_ahead"],
        json_schema_extra={"enum": [*MarketRun, None]},
    ),
]
FuelFilter = Annotated[
    Text | None,
    Query(
        description="Only series of this group of fuels, whatever word the operator has for it: `wind` is onshore and offshore "
        "wind. `unmapped`: series with a word that is in no group yet, which the label `fuel_as_published` holds.",
        examples=["wind"],
        json_schema_extra={"enum": [*Fuel, None]},
    ),
]
ComponentFilter = Annotated[
    Text | None,
    Query(
        description="Only prices of energy with this component: `total` is the price itself, whatever its measure is called.",
        examples=["total"],
        json_schema_extra={"enum": [*Component, None]},
    ),
]
LocationTypeFilter = Annotated[
    Text | None,
    Query(
        description="Only series at locations of this type, in upper or lower case; see `/v2/catalog/dimensions`.",
        examples=["hub"],
    ),
]
CalendarFilter = Annotated[
    Text | None, Query(description="Only blocks of this calendar, by its name in `/v2/catalog/calendars`.", examples=["nyiso"])
]
WithSparkline = Annotated[
    bool,
    Query(description=f"Also the last {POINTS} observations of each series, with a small picture of them. Default: false."),
]

_Name = TypeVar("_Name", bound=StrEnum)


def kind_of(text: str | None) -> Kind | None:
    """Return the kind that a filter names. Raises ``InvalidParameters`` with the nearest kinds."""
    return _known("kind", text, parse_kind)


def market_run_of(text: str | None) -> MarketRun | None:
    """Return the market run that a filter names. Raises ``InvalidParameters`` with the nearest runs."""
    return _known("market_run", text, parse_market_run)


def fuel_of(text: str | None) -> Fuel | None:
    """Return the fuel that a filter names. Raises ``InvalidParameters`` with the nearest fuels."""
    return _known("fuel", text, parse_fuel)


def component_of(text: str | None) -> Component | None:
    """Return the component of a price that a filter names. Raises ``InvalidParameters`` with the nearest components."""
    return _known("component", text, parse_component)


def _known(parameter: str, text: str | None, parse: Callable[[str], _Name]) -> _Name | None:
    if text is None:
        return None
    try:
        return parse(text)
    except UnknownName as error:
        raise InvalidParameters((parameter, error.detail, text)) from error
