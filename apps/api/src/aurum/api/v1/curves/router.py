"""``/v1/curves``: points, differences and strips of curves, which this service does not have yet."""

from __future__ import annotations

from starlette.responses import Response

from aurum.api.v1.problems import NotYet, failures
from aurum.api.v1.routing import v1_router
from aurum.core.access import Permission

router = v1_router("/v1/curves", "v1 curves", Permission.SERIES_READ)

_FAILURES = failures(501)
_DETAIL = "this service has no curves yet"


@router.get("", operation_id="v1ListCurves", summary="Curve points", responses=_FAILURES, response_class=Response)
async def list_curves() -> Response:
    """Answer 501: not implemented yet."""
    raise NotYet(_DETAIL)


@router.get("/diff", operation_id="v1DiffCurves", summary="Difference of curves", responses=_FAILURES, response_class=Response)
async def diff_curves() -> Response:
    """Answer 501: not implemented yet."""
    raise NotYet(_DETAIL)


@router.get("/strips", operation_id="v1CurveStrips", summary="Strips of curves", responses=_FAILURES, response_class=Response)
async def curve_strips() -> Response:
    """Answer 501: not implemented yet."""
    raise NotYet(_DETAIL)
