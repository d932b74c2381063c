"""Documents of ``/v2/webhooks``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from aurum.api.contract.schemas import PageMeta
from aurum.services.webhooks.control import EVENTS
from aurum.storage.ports.webhooks import Delivery, DeliveryAttempt, DeliveryState, Webhook

Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x20\x7f]*$")]
EventName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z._]*$")]

_URL = "https://receiver.example/aurum"


class NewWebhook(BaseModel):
    """A webhook to be created."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"url": _URL, "events": ["alert.opened"]}]})

    url: Url = Field(description="Address of the receiver, https or http, on a public network.", examples=[_URL])
    events: list[EventName] = Field(
        default=[],
        max_length=20,
        description=f"Events to be sent: {', '.join(EVENTS)}, or `alert` for all that begin so. Default: all.",
    )


class WebhookDocument(BaseModel):
    """A webhook without its secret."""

    webhook_id: str = Field(examples=["5e884898da28047151d0e56f8dc62927"])
    url: str = Field(examples=[_URL])
    events: list[str] = Field(description="Events that are sent; empty: all.")
    created_at: datetime
    created_by: str
    is_on: bool
    off_reason: str = Field(description="Why it is off; empty while it is on.")

    @classmethod
    def from_domain(cls, webhook: Webhook) -> WebhookDocument:
        return cls(
            webhook_id=webhook.webhook_id,
            url=webhook.url,
            events=list(webhook.events),
            created_at=webhook.created_at,
            created_by=webhook.created_by,
            is_on=not webhook.off_reason,
            off_reason=webhook.off_reason,
        )


class WebhookList(BaseModel):
    data: list[WebhookDocument]


class WebhookAnswer(BaseModel):
    data: WebhookDocument


class SecretDocument(WebhookDocument):
    """A webhook with its secret, which is shown only once."""

    secret: str = Field(description="Secret of the signatures (Standard Webhooks): `whsec_` and base64.")


class SecretAnswer(BaseModel):
    data: SecretDocument


class Switch(BaseModel):
    """A webhook to be turned on or off."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"is_on": True}]})

    is_on: bool = Field(strict=True, description="Whether events are sent. Events while it is off are not sent later.")


class DeliveryDocument(BaseModel):
    """An event for a webhook. Its id and body are the same in every attempt."""

    delivery_id: str = Field(description="Header `webhook-id` of each attempt.", examples=["5e884898da28047151d0e56f8dc62927"])
    webhook_id: str
    event: str = Field(examples=["alert.opened"])
    state: DeliveryState
    created_at: datetime
    attempts: int
    status: int | None = Field(description="Status of the last answer; null without an answer.")
    reason: str = Field(description="Why the last attempt failed; empty if it did not.")
    last_at: datetime | None = Field(description="Time of the last attempt.")
    body: dict[str, Any]

    @classmethod
    def from_domain(cls, delivery: Delivery) -> DeliveryDocument:
        return cls(
            delivery_id=delivery.delivery_id,
            webhook_id=delivery.webhook_id,
            event=delivery.event,
            state=delivery.state,
            created_at=delivery.created_at,
            attempts=delivery.attempts,
            status=delivery.status,
            reason=delivery.reason,
            last_at=delivery.last_at,
            body=dict(delivery.body),
        )


class DeliveryPage(BaseModel):
    data: list[DeliveryDocument]
    meta: PageMeta


class DeliveryAnswer(BaseModel):
    data: DeliveryDocument


class AttemptDocument(BaseModel):
    """One attempt of a delivery."""

    at: datetime
    status: int | None = Field(description="Status of the answer; null without an answer.")
    milliseconds: float | None = Field(description="Time until the head of the answer.")
    reason: str = Field(description="Why it failed; empty if it did not.")

    @classmethod
    def from_domain(cls, attempt: DeliveryAttempt) -> AttemptDocument:
        return cls(at=attempt.at, status=attempt.status, milliseconds=attempt.milliseconds, reason=attempt.reason)


class AttemptList(BaseModel):
    data: list[AttemptDocument]
