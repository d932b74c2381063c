"""The fields of a series that filters compare, in one place for stores in memory and for series that are already read."""

from __future__ import annotations

from aurum.core.catalog.dimensions import Kind, component_of, location_type_as_compared
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import FILTERED, SeriesFilter


def has_fields(series: Series, criteria: SeriesFilter) -> bool:
    """Return whether a series has all fields that the criteria name; their texts, labels and pattern are not compared."""
    spec, key = series.spec, series.key
    own = {"source": key.source, "dataset": key.dataset, "location": key.location, "measure": key.measure}
    for name in FILTERED:
        expected = getattr(criteria, name)
        if expected is not None and (own[name] if name in own else getattr(spec, name)) != expected:
            return False
    wanted = criteria.location_type
    if wanted is not None and location_type_as_compared(spec.location_type) != location_type_as_compared(wanted):
        return False
    component = criteria.component
    return component is None or (spec.kind is Kind.PRICE and component_of(key.measure) is component)
