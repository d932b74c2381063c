"""``/v2/external/series/{id}/observations``: values of a provider's series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.answers import answers
from aurum.api.contract.params import KEY, ONE_SERIES, documented
from aurum.api.contract.schemas import SeriesObservations
from aurum.api.http.problems import problems
from aurum.api.observations.one import answer_one
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter, PlainRoute
from aurum.core.access import Permission
from aurum.core.errors import NotFound
from aurum.services.external import provider_series

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ, is_shared=True), prefix="/v2/external", tags=["external"], route_class=PlainRoute
)

_ID: Mapping[str, Any] = {**KEY, "name": "id", "example": "ecb:reference_rates:EURUSD:rate"}
_SPAN = {"start": "2025-04-01", "end": "2025-04-08"}
"""Examples with rates in the sample: 2 November 2025 is a Sunday."""
_PARAMETERS = [replace(one, example=_SPAN.get(one.name, one.example)) for one in ONE_SERIES]


@router.get(
    "/series/{id:path}/observations",
    operation_id="readProviderObservations",
    summary="Observations of a provider's series",
    openapi_extra=documented(_PARAMETERS, _ID),
    responses=answers(SeriesObservations, pictures=True) | problems(NotFound, also=(406,)),
    response_class=Response,
)
async def read_observations(request: Request) -> Response:
    """Return the values of a series of an agency or a data provider, as `/v2/series/{key}/observations` does.

    A series of a grid operator is not found here.
    """
    return await answer_one(request, provider_series, request.path_params["id"])
