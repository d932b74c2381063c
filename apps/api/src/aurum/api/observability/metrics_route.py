"""``/metrics``: for Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.common.telemetry.prometheus import CONTENT_TYPE
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, Unauthenticated

router = FeatureRouter(reads=Policy(Permission.ADMIN_READ), tags=["health"])

_TEXT = {"description": "Prometheus text format 0.0.4", "content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics of the process",
    responses={200: _TEXT} | problems(Unauthenticated, Forbidden),
    response_class=Response,
)
async def metrics(request: Request) -> Response:
    """Counters, gauges and histograms in the Prometheus text format, of the worker process that answers."""
    return Response(request.state.metrics.text(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
