"""``/v2/admin/cache``: the state of the cache, its invalidation and its warming."""

from __future__ import annotations

import math

from fastapi import Depends
from starlette.requests import Request

from aurum.api.cache.warming import warm
from aurum.api.contract.params import known_only
from aurum.api.handlers.actor import on_record
from aurum.api.handlers.services import services
from aurum.api.http.problems import problems
from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v2.admin.cache import schemas
from aurum.core.access import Permission
from aurum.core.errors import Forbidden, Unauthenticated, Unavailable
from aurum.storage.ports.changes import Change, ChangeKind

router = FeatureRouter(
    reads=Policy(Permission.ADMIN_READ),
    writes=Policy(Permission.ADMIN_WRITE),
    prefix="/v2/admin/cache",
    tags=["admin"],
    dependencies=[Depends(known_only)],
)

_FAILURES = problems(Unauthenticated, Forbidden, Unavailable)


@router.get("", operation_id="readCache", summary="State of the cache", responses=_FAILURES)
async def read_cache(request: Request) -> schemas.CacheAnswer:
    """Return the entries and bytes of the process that answers, with its look-ups by tier and keyspace."""
    store = request.state.responses
    settings = store.settings
    tallies = [*store.cache.tallies.items(), *services(request).results.tallies.items()]
    state = schemas.CacheState(
        enabled=settings.enabled,
        policy=settings.policy,
        entries=len(store.cache.local),
        bytes=store.cache.local.weight,
        most_entries=settings.most_entries,
        most_bytes=settings.most_bytes,
        keyspaces=[
            schemas.Keyspace(
                tier=tier,
                keyspace=keyspace,
                hits=tally.hits,
                stale=tally.stale,
                misses=tally.misses,
                hit_ratio=None if math.isnan(tally.hit_ratio) else tally.hit_ratio,
            )
            for (tier, keyspace), tally in sorted(tallies)
        ],
    )
    return schemas.CacheAnswer(data=state)


@router.post("/forget", operation_id="forgetCache", summary="Invalidate cached responses by tag", responses=_FAILURES)
async def forget(request: Request, body: schemas.ForgetRequest) -> schemas.ForgottenAnswer:
    """Remove the responses and results with one of the tags from every process and tier, within a second."""
    await on_record(request, "cache.forget", ",".join(body.tags)[:200], {"tags": body.tags})
    store = request.state.responses
    entries = len(store.cache.local.tagged(body.tags)) + await services(request).results.forget_everywhere(body.tags)
    await store.feed.publish(Change(ChangeKind.CACHE, tuple(body.tags)))
    return schemas.ForgottenAnswer(data=schemas.Forgotten(entries=entries))


@router.post("/warm", operation_id="warmCache", summary="Warm the cache", responses=_FAILURES)
async def warm_cache(request: Request) -> schemas.WarmedAnswer:
    """Execute every golden query (`AURUM_CACHE__GOLDEN`) in the process that answers, and cache the new responses."""
    golden = request.state.responses.settings.golden
    await on_record(request, "cache.warm", "", {"queries": list(golden)})
    inwards = request.app.from_cache_inwards
    warmed = await warm(inwards, request.scope["state"], golden) if inwards is not None else 0
    return schemas.WarmedAnswer(data=schemas.Warmed(queries=list(golden), answered=warmed))
