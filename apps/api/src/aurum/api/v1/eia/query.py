"""Filters of EIA's series, and the facets they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from aurum.api.contract.text import Text
from aurum.api.v1.problems import BadRequest
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import SeriesFilter

_EIA = "eia"
_LABELS = {
    Frequency.HOUR: "HOURLY",
    Frequency.DAY: "DAILY",
    Frequency.WEEK: "WEEKLY",
    Frequency.MONTH: "MONTHLY",
    Frequency.QUARTER: "QUARTERLY",
    Frequency.YEAR: "ANNUAL",
}
_AREAS = frozenset({"region", "balancing authority", "subregion", "state", "country"})


class EiaQuery(BaseModel):
    """Filters of series; every filter that is set must match."""

    model_config = ConfigDict(frozen=True)

    series_id: Annotated[
        Text | None, Query(description="EIA's id of a series, or its key here.", examples=["NW2_EPG0_SWO_R48_BCF"])
    ] = None
    frequency: Annotated[
        Text | None, Query(description=f"One of {', '.join(_LABELS.values())}, in upper or lower case.", examples=["WEEKLY"])
    ] = None
    area: Annotated[Text | None, Query(description="Area of the series.", examples=["R48"])] = None
    sector: Annotated[Text | None, Query(description="Sector of the series.", examples=["RES"])] = None
    dataset: Annotated[Text | None, Query(description="Dataset.", examples=["gas_storage_weekly"])] = None
    unit: Annotated[Text | None, Query(description="Unit.", examples=["Bcf"])] = None
    canonical_unit: Annotated[Text | None, Query(description="Unit; values are stored in no other.", examples=["Bcf"])] = None
    canonical_currency: Annotated[Text | None, Query(description="ISO 4217 code.", examples=["USD"])] = None
    source: Annotated[Text | None, Query(description="Source; all series are from EIA.", examples=["eia"])] = None

    def criteria(self) -> Sequence[SeriesFilter]:
        """Return what narrows the series down in the catalog, before ``matches``."""
        return [SeriesFilter(_EIA, self.dataset, location=_location(self.series_id))]

    def matches(self) -> Callable[[Series], bool]:
        """Return a function that says whether a series matches. Raises ``BadRequest``."""
        if self.frequency is not None and self.frequency.upper() not in _LABELS.values():
            raise BadRequest("frequency", f"must be one of {', '.join(_LABELS.values())}", self.frequency)
        filters = {
            "frequency": self.frequency.upper() if self.frequency else None,
            "area": self.area,
            "sector": self.sector,
            "unit": self.unit,
            "canonical_unit": self.canonical_unit,
            "canonical_currency": self.canonical_currency.upper() if self.canonical_currency else None,
            "source": self.source.lower() if self.source else None,
        }
        wanted = {name: value for name, value in filters.items() if value is not None}

        def match(series: Series) -> bool:
            values = facets(series)
            is_named = self.series_id is None or self.series_id in (str(series.key), series.key.location)
            return is_named and all(values[name] == value for name, value in wanted.items())

        return match


def facets(series: Series) -> Mapping[str, str | None]:
    """Return the values of a series by the names of the filters."""
    spec = series.spec
    return {
        "dataset": spec.key.dataset,
        "area": spec.labels.get("area") or (spec.key.location if spec.location_type in _AREAS else None),
        "sector": spec.labels.get("sector"),
        "unit": spec.unit,
        "canonical_unit": spec.unit,
        "canonical_currency": spec.currency,
        "frequency": _LABELS.get(spec.frequency),
        "source": spec.key.source,
    }


def _location(series_id: str | None) -> str | None:
    """Return the location of a series: the middle of its key here, or the whole of EIA's id."""
    parts = series_id.split(":") if series_id is not None else []
    return ":".join(parts[2:-1]) if len(parts) >= 4 and parts[0] == _EIA else series_id
