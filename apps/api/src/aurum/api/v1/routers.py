"""The routers of version 1, in the order in which a path is looked for."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.curves.router import router as curves
from aurum.api.v1.drought.router import router as drought
from aurum.api.v1.eia.datasets import router as eia_datasets
from aurum.api.v1.eia.router import router as eia
from aurum.api.v1.external.observations import router as external_observations
from aurum.api.v1.external.router import router as external
from aurum.api.v1.iso.router import router as iso
from aurum.api.v1.metadata.calendars import router as calendars
from aurum.api.v1.metadata.dimensions import router as dimensions
from aurum.api.v1.metadata.locations import router as locations
from aurum.api.v1.metadata.units import router as units
from aurum.api.v1.switch import router as switch

ROUTERS: Mapping[str, FeatureRouter] = {
    # First: it answers for clients whose version 1 is switched off.
    "v1 switch": switch,
    "v1 curves": curves,
    "v1 iso": iso,
    "v1 dimensions": dimensions,
    "v1 locations": locations,
    "v1 units": units,
    "v1 calendars": calendars,
    "v1 eia datasets": eia_datasets,
    "v1 eia": eia,
    "v1 external": external,
    "v1 external observations": external_observations,
    "v1 drought": drought,
}
