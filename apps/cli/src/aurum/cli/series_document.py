"""A series as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aurum.core.series.model import Series


def series_document(series: Series) -> dict[str, object]:
    """Return a series as the API does."""
    spec = series.spec
    named = {name: getattr(spec, name) for name in ("market", "location_name", "location_type", "unit", "currency", "labels")}
    return {
        "key": str(spec.key),
        "source": spec.key.source,
        "dataset": spec.key.dataset,
        "location": spec.key.location,
        "measure": spec.key.measure,
        "kind": spec.kind,
        "market_run": spec.market_run,
        "fuel": spec.fuel,
        "fuel_detail": spec.fuel_detail,
        **named,
        "frequency": str(spec.frequency),
        "tz": spec.zone,
        "business_days": spec.business_days,
        "first": series.first_ts,
        "last": series.last_ts,
        "version": series.version,
        "updated_at": series.updated_at,
    }
