"""What handlers work with: the ports and settings of one application, put together in ``wiring``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from aurum.api.flags import Flags
from aurum.api.health_checks import HealthCheck
from aurum.common.cache import Cache
from aurum.common.settings import ApiSettings
from aurum.common.settings.cache import FreshSettings
from aurum.core.clock import Clock
from aurum.services.observations import Reading
from aurum.storage.ports import Catalog, ChangeFeed, JobQueue, QualityLog, ValidationLog
from aurum.storage.ports.access import AuditLog, KeyStore, TenantStore
from aurum.storage.ports.flags import FlagStore
from aurum.storage.ports.idempotency import IdempotencyStore
from aurum.storage.ports.models import ModelLog

if TYPE_CHECKING:
    from aurum.common.ratelimit.shared import Sharing
    from aurum.core.access import Plan


@dataclass(frozen=True, slots=True)
class Services:
    """One application's ports. ``reading``: what observations are read with. ``cursor_secret`` signs cursors. ``fresh_s``:
    how long answers are fresh, by class of data. ``feed``: changes of the store. ``public``: nobody is asked who they are,
    so answers are for everybody. ``results``: what took long to work out, shared between processes. ``jobs``: None where
    there is no Redis.
    """

    reading: Reading
    catalog: Catalog
    feed: ChangeFeed
    quality: QualityLog
    models: ModelLog
    validations: ValidationLog
    checks: Sequence[HealthCheck]
    clock: Clock
    settings: ApiSettings
    cursor_secret: bytes
    fresh_s: FreshSettings
    public: bool
    results: Cache[bytes]
    jobs: JobQueue | None
    keys: KeyStore
    tenants: TenantStore
    audit: AuditLog
    idempotency: IdempotencyStore
    flag_store: FlagStore
    flags: Flags


@dataclass(frozen=True, slots=True)
class MaybeSharing:
    """What keeps rate limits together with other processes, where there is a Redis."""

    sharing: Sharing[Plan] | None


def services(request: Request) -> Services:
    """The services of the application that a request came to."""
    # Not ``request.state``, which makes an object of what is a look-up.
    return request.scope["state"]["services"]
