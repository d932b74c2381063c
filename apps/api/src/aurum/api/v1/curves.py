"""``/v1/curves``: promised, and not here yet."""

from __future__ import annotations

from starlette.responses import Response

from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.problems import NotYet, V1Route, failures
from aurum.core.access import Permission

router = FeatureRouter(
    reads=Policy(Permission.SERIES_READ), prefix="/v1/curves", tags=["v1 curves"], route_class=V1Route, deprecated=True
)

_FAILURES = failures(501)
_DETAIL = "this service has no curves yet"


@router.get("", operation_id="v1ListCurves", summary="Curve points", responses=_FAILURES, response_class=Response)
async def list_curves() -> Response:
    """Not implemented yet."""
    raise NotYet(_DETAIL)


@router.get("/diff", operation_id="v1DiffCurves", summary="Difference of curves", responses=_FAILURES, response_class=Response)
async def diff_curves() -> Response:
    """Not implemented yet."""
    raise NotYet(_DETAIL)


@router.get("/strips", operation_id="v1CurveStrips", summary="Strips of curves", responses=_FAILURES, response_class=Response)
async def curve_strips() -> Response:
    """Not implemented yet."""
    raise NotYet(_DETAIL)
