"""``/v2/alerts``: datasets that are late, stale, incomplete or shrinking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.filters import DatasetFilter, SourceFilter
from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.alerts import schemas
from aurum.core.access import Permission
from aurum.core.alerts.alert import Alert, AlertKind, AlertState
from aurum.core.errors import NotFound
from aurum.services.alerts.control import acknowledge_alert, resolve_alert
from aurum.storage.ports.alerts import AlertFilter

router = FeatureRouter(
    reads=Policy(Permission.CATALOG_READ),
    # Alerts are about data that all tenants share.
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/alerts",
    tags=["alerts"],
    dependencies=[Depends(known_only)],
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

AlertId = Annotated[Text, Path(description="`alert_id` of the alert.", examples=["5e884898da28047151d0e56f8dc62927"])]
Kind = Annotated[AlertKind | None, Query(description="Only alerts of this kind.")]
State = Annotated[AlertState | None, Query(description="Only alerts in this state. Default: all.")]


@router.get("", operation_id="listAlerts", summary="List alerts", responses=problems())
async def list_alerts(
    request: Request,
    response: Response,
    source: SourceFilter = None,
    dataset: DatasetFilter = None,
    kind: Kind = None,
    state: State = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.AlertPage:
    """List alerts on datasets, the last opened first. A check runs every few minutes."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    wanted = AlertFilter(source, dataset, kind, (state,) if state is not None else ())
    alerts = await services(request).store.alerts.page(wanted, before=_position(page.after), limit=page.limit + 1)
    meta = page_meta(request, response, page, alerts, _sort_key)
    response.headers["Cache-Control"] = "no-store"
    data = [_document(request, one) for one in alerts[: page.limit]]
    return schemas.AlertPage.model_validate({"data": data, "meta": meta})


@router.get("/{alert_id}", operation_id="getAlert", summary="Get an alert", responses=problems(NotFound))
async def get_alert(request: Request, response: Response, alert_id: AlertId) -> schemas.AlertAnswer:
    """Return one alert."""
    response.headers["Cache-Control"] = "no-store"
    return _answer(request, await services(request).store.alerts.alert(alert_id))


@router.post(
    "/{alert_id}/acknowledge",
    operation_id="acknowledgeAlert",
    summary="Acknowledge an alert",
    responses=problems(NotFound),
)
async def acknowledge(request: Request, alert_id: AlertId) -> schemas.AlertAnswer:
    """Say that you have seen an open alert. An alert in another state stays as it is."""
    service = services(request)
    by, now = actor_of(request), service.clock.now()
    return _answer(request, await acknowledge_alert(service.store.transactions, alert_id, by=by, now=now))


@router.post("/{alert_id}/resolve", operation_id="resolveAlert", summary="Resolve an alert", responses=problems(NotFound))
async def resolve(request: Request, alert_id: AlertId) -> schemas.AlertAnswer:
    """Settle an alert. The same fault does not open it again on the same day; without this, a check resolves it when the
    fault is gone.
    """
    service = services(request)
    by, now = actor_of(request), service.clock.now()
    return _answer(request, await resolve_alert(service.store.transactions, alert_id, by=by, now=now))


def _answer(request: Request, alert: Alert) -> schemas.AlertAnswer:
    return schemas.AlertAnswer(data=_document(request, alert))


def _document(request: Request, alert: Alert) -> schemas.AlertDocument:
    return schemas.AlertDocument.from_domain(alert, for_operator=Permission.ADMIN_WRITE in caller_of(request).scopes)


def _sort_key(alert: Alert) -> tuple[str, str]:
    return str((alert.opened_at - _EPOCH) // _MICROSECOND), alert.alert_id


def _position(after: list[str] | None) -> tuple[datetime, str] | None:
    return (_EPOCH + int(after[0]) * _MICROSECOND, after[1]) if after is not None else None
