"""The services that handlers use: the store and settings of one application, made in ``wiring``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from aurum.api.handlers.flags import Flags
from aurum.api.handlers.health_checks import HealthCheck
from aurum.api.pictures.drawer import Drawer
from aurum.api.push.hub import ChangeHub
from aurum.api.push.jobs import JobHub
from aurum.assembly.store import Store
from aurum.common.cache import Cache
from aurum.common.settings import ApiSettings, LinksSettings
from aurum.common.settings.cache import FreshSettings
from aurum.core.clock import Clock
from aurum.services.changes import ChangeList
from aurum.services.jobs.definition import Definitions
from aurum.services.movers import WideReading
from aurum.services.observations import Reading
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.recordings import ChangedPointsReader


@dataclass(frozen=True, slots=True)
class Services:
    """The store of one application, and the other parts that handlers need.

    ``reading``: the readers of observations. ``wide``: the same for very many series. ``feed``: changes of the store.
    ``links``: settings of signed links. ``cursor_secret``: signs cursors. ``fresh_s``: seconds for which responses are fresh,
    by class of data. ``public``: callers need no credential, so responses are the same for all. ``results``: expensive
    results, shared between processes. ``definitions``: those of jobs. ``changes``: the list of changes. ``changed_points``: the
    points of its entries. ``hub``: its push. ``job_hub``: the push of jobs. ``drawer``: draws pictures.
    """

    store: Store
    reading: Reading
    wide: WideReading
    feed: ChangeFeed
    links: LinksSettings
    checks: Sequence[HealthCheck]
    clock: Clock
    settings: ApiSettings
    cursor_secret: bytes
    fresh_s: FreshSettings
    public: bool
    results: Cache[bytes]
    definitions: Definitions
    flags: Flags
    changes: ChangeList
    changed_points: ChangedPointsReader
    hub: ChangeHub
    job_hub: JobHub
    drawer: Drawer


def services(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    # Not ``request.state``, which makes an object for one look-up.
    return request.scope["state"]["services"]
