"""The functions of light jobs, which run on the event loop of the worker: work of a few milliseconds that only waits.

This module loads no pipelines and no Polars, because the main process of a worker has to stay small.
"""

from __future__ import annotations

from collections.abc import Mapping

from aurum.assembly.store import Store
from aurum.common.outbound.network import AllowedTargets
from aurum.common.outbound.post import Poster
from aurum.services.jobs.running import JobFunction
from aurum.services.webhooks.delivery import Deliveries


def light_functions(store: Store) -> Mapping[str, JobFunction]:
    """Return the functions by the names of their jobs."""
    return {"webhook.deliver": _deliveries(store).deliver}


def _deliveries(store: Store) -> Deliveries:
    settings = store.settings.webhooks
    poster = Poster(AllowedTargets.of(settings.allow), whole_s=settings.answer_within_s)
    return Deliveries(store.webhooks, store.transactions, store.clock, poster.post)
