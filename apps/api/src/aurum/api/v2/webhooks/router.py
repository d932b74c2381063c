"""``/v2/webhooks``: addresses of the caller's tenant that events are sent to, and the log of deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.params import known_only
from aurum.api.contract.text import Text
from aurum.api.handlers.actor import actor_of
from aurum.api.handlers.paging import Cursor, Limit, page_meta, requested_page
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.http.request_state import caller_of, state_of
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.webhooks import schemas
from aurum.core.access import Permission
from aurum.core.errors import Conflict, NotFound
from aurum.services.webhooks import control
from aurum.storage.ports.webhooks import Delivery, Webhook

router = FeatureRouter(
    reads=Policy(Permission.JOBS_READ),
    writes=Policy(Permission.JOBS_RUN),
    prefix="/v2/webhooks",
    tags=["webhooks"],
    dependencies=[Depends(known_only)],
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ID = "5e884898da28047151d0e56f8dc62927"

WebhookId = Annotated[Text, Path(description="`webhook_id` of the webhook.", examples=[_ID])]
DeliveryId = Annotated[Text, Path(description="`delivery_id` of the delivery.", examples=[_ID])]


@router.post(
    "", status_code=201, operation_id="createWebhook", summary="Create a webhook", responses=problems(NotFound, Conflict)
)
async def create_webhook(request: Request, body: schemas.NewWebhook) -> schemas.SecretAnswer:
    """Create a webhook: events are sent to its address, signed by the scheme of Standard Webhooks.

    Only this response holds its secret. A delivery that is not answered with 2xx is sent again for more than a day. Addresses
    on loopback, private and link-local networks are refused at each delivery, and redirects are not followed.
    """
    service, caller = services(request), caller_of(request)
    webhook, secret = await control.create_webhook(
        service.store.transactions,
        body.url,
        body.events,
        by=actor_of(request),
        tenant=caller.tenant,
        now=service.clock.now(),
        most=service.store.settings.webhooks.per_tenant,
    )
    return _with_secret(request, webhook, secret)


@router.get("", operation_id="listWebhooks", summary="List webhooks", responses=problems())
async def list_webhooks(request: Request, response: Response) -> schemas.WebhookList:
    """List the webhooks of your tenant, the first created first."""
    webhooks = await services(request).store.webhooks.webhooks(caller_of(request).tenant)
    response.headers["Cache-Control"] = "no-store"
    return schemas.WebhookList(data=[schemas.WebhookDocument.from_domain(one) for one in webhooks])


@router.get("/{webhook_id}", operation_id="getWebhook", summary="Get a webhook", responses=problems(NotFound))
async def get_webhook(request: Request, response: Response, webhook_id: WebhookId) -> schemas.WebhookAnswer:
    """Return a webhook of your tenant."""
    response.headers["Cache-Control"] = "no-store"
    return _answer(await _webhook(request, webhook_id))


@router.patch("/{webhook_id}", operation_id="switchWebhook", summary="Turn a webhook on or off", responses=problems(NotFound))
async def switch_webhook(request: Request, webhook_id: WebhookId, body: schemas.Switch) -> schemas.WebhookAnswer:
    """Turn a webhook on or off. A receiver that answers 410 turns its webhook off, too."""
    return _answer(
        await control.switch_webhook(
            services(request).store.transactions,
            webhook_id,
            on=body.is_on,
            by=actor_of(request),
            tenant=caller_of(request).tenant,
        )
    )


@router.delete("/{webhook_id}", operation_id="deleteWebhook", summary="Delete a webhook", responses=problems(NotFound))
async def delete_webhook(request: Request, webhook_id: WebhookId) -> schemas.WebhookAnswer:
    """Delete a webhook with the log of its deliveries."""
    by, tenant = actor_of(request), caller_of(request).tenant
    return _answer(await control.delete_webhook(services(request).store.transactions, webhook_id, by=by, tenant=tenant))


@router.post(
    "/{webhook_id}/secret", operation_id="rotateWebhookSecret", summary="Replace the secret", responses=problems(NotFound)
)
async def rotate_secret(request: Request, webhook_id: WebhookId) -> schemas.SecretAnswer:
    """Replace the secret of a webhook. Until it is replaced again, deliveries have signatures of both, so that receivers can
    change over.
    """
    by, tenant = actor_of(request), caller_of(request).tenant
    rotated = await control.rotate_secret(services(request).store.transactions, webhook_id, by=by, tenant=tenant)
    return _with_secret(request, *rotated)


@router.post(
    "/{webhook_id}/ping",
    status_code=202,
    operation_id="pingWebhook",
    summary="Test a webhook",
    responses=problems(NotFound),
)
async def ping(request: Request, webhook_id: WebhookId) -> schemas.DeliveryAnswer:
    """Send the event `ping` to a webhook; its log of deliveries shows the answer."""
    service = services(request)
    webhook = await _webhook(request, webhook_id)
    delivery = await control.ping_webhook(service.store.transactions, webhook, by=actor_of(request), now=service.clock.now())
    return schemas.DeliveryAnswer(data=schemas.DeliveryDocument.from_domain(delivery))


@router.get("/{webhook_id}/deliveries", operation_id="listDeliveries", summary="List deliveries", responses=problems(NotFound))
async def list_deliveries(
    request: Request, response: Response, webhook_id: WebhookId, limit: Limit = 100, cursor: Cursor = None
) -> schemas.DeliveryPage:
    """List the deliveries of a webhook, the newest first."""
    page = requested_page(request, cursor=cursor, limit=limit, width=2)
    webhook = await _webhook(request, webhook_id)
    deliveries = await services(request).store.webhooks.deliveries(
        webhook.tenant, webhook_id, before=_position(page.after), limit=page.limit + 1
    )
    meta = page_meta(request, response, page, deliveries, _sort_key)
    response.headers["Cache-Control"] = "no-store"
    data = [schemas.DeliveryDocument.from_domain(one) for one in deliveries[: page.limit]]
    return schemas.DeliveryPage.model_validate({"data": data, "meta": meta})


@router.get(
    "/deliveries/{delivery_id}/attempts",
    operation_id="listAttempts",
    summary="List the attempts of a delivery",
    responses=problems(NotFound),
)
async def list_attempts(request: Request, response: Response, delivery_id: DeliveryId) -> schemas.AttemptList:
    """List the attempts of a delivery, the first one first."""
    attempts = await services(request).store.webhooks.attempts(caller_of(request).tenant, delivery_id)
    response.headers["Cache-Control"] = "no-store"
    return schemas.AttemptList(data=[schemas.AttemptDocument.from_domain(one) for one in attempts])


@router.post(
    "/deliveries/{delivery_id}/retry",
    status_code=202,
    operation_id="retryDelivery",
    summary="Send a delivery again",
    responses=problems(NotFound),
)
async def retry_delivery(request: Request, delivery_id: DeliveryId) -> schemas.DeliveryAnswer:
    """Send a delivery again, with the same id and body, whether it failed or was received."""
    by, tenant = actor_of(request), caller_of(request).tenant
    delivery = await control.send_again(services(request).store.transactions, delivery_id, by=by, tenant=tenant)
    return schemas.DeliveryAnswer(data=schemas.DeliveryDocument.from_domain(delivery))


async def _webhook(request: Request, webhook_id: str) -> Webhook:
    return await services(request).store.webhooks.webhook(caller_of(request).tenant, webhook_id)


def _answer(webhook: Webhook) -> schemas.WebhookAnswer:
    return schemas.WebhookAnswer(data=schemas.WebhookDocument.from_domain(webhook))


def _with_secret(request: Request, webhook: Webhook, secret: str) -> schemas.SecretAnswer:
    state_of(request.scope).holds_secret = True
    document = schemas.WebhookDocument.from_domain(webhook).model_dump()
    return schemas.SecretAnswer(data=schemas.SecretDocument(**document, secret=secret))


def _sort_key(delivery: Delivery) -> tuple[str, str]:
    return str((delivery.created_at - _EPOCH) // _MICROSECOND), delivery.delivery_id


def _position(after: list[str] | None) -> tuple[datetime, str] | None:
    return (_EPOCH + int(after[0]) * _MICROSECOND, after[1]) if after is not None else None
