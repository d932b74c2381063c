"""The feature flags of a service: held in memory, read again when they change, evaluated through OpenFeature."""

from __future__ import annotations

import asyncio

import structlog
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext

from aurum.common.flags import FlagProvider
from aurum.core.access import Caller
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.services.flags import documents
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.flags import FlagStore

_FLUSH_S = 60.0
_log = structlog.get_logger(__name__)


class Flags:
    """Feature flags with the OpenFeature ``client`` that evaluates them.

    OpenFeature has one registry for the process, so each service has a domain of its own.
    """

    def __init__(self, store: FlagStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._stale = asyncio.Event()
        self.provider = FlagProvider(clock.now)
        domain = f"aurum-{id(self)}"
        api.set_provider(self.provider, domain)
        self.client: OpenFeatureClient = api.get_client(domain)

    def changed(self, change: Change) -> None:
        """Read flags again after they changed: a listener of the change feed."""
        if change.kind in (ChangeKind.FLAGS, ChangeKind.EVERYTHING):
            self._stale.set()

    async def load(self) -> None:
        """Read all flags. Raises ``Unavailable``."""
        self.provider.flags = documents(await self._store.flags())

    async def begin(self) -> None:
        """Read all flags; every flag has its default while the store does not answer."""
        try:
            await self.load()
        except Unavailable as error:
            _log.warning("flags not read", reason=error.operator_detail)
            self._stale.set()

    async def keep_current(self) -> None:
        """Read flags again whenever they change, until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self.load()
            except Unavailable as error:
                _log.warning("flags not read", reason=error.operator_detail)
                await asyncio.sleep(1.0)
                self._stale.set()

    async def flush_often(self) -> None:
        """Write counts of evaluations every minute, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write counts of evaluations. While the store does not answer, they are lost and nothing else."""
        used = self.provider.take_usage()
        if used:
            try:
                await self._store.add_use(used, self._clock.now().date())
            except Unavailable as error:
                _log.warning("flag use not counted", reason=error.operator_detail)


def context_of(caller: Caller, **attributes: str) -> EvaluationContext:
    """Return a caller as rules see it. Percentages go by tenant, so that a customer gets one variant as a whole."""
    plan = {"plan": caller.plan.name} if caller.plan is not None else {}
    return EvaluationContext(caller.tenant, {"tenant": caller.tenant, "subject": caller.subject, **plan, **attributes})
