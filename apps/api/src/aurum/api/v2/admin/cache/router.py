"""``/v2/admin/cache``: look into the cache, forget, warm."""

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


@router.get("", operation_id="readCache", summary="What is kept", responses=_FAILURES)
async def read_cache(request: Request) -> schemas.CacheAnswer:
    """Entries and bytes of the process that answers, and how look-ups went by tier and kind of answer."""
    store = request.state.responses
    kept = store.settings
    tallies = [*store.cache.tallies.items(), *services(request).results.tallies.items()]
    state = schemas.CacheState(
        enabled=kept.enabled,
        policy=kept.policy,
        entries=len(store.cache.local),
        bytes=store.cache.local.weight,
        most_entries=kept.most_entries,
        most_bytes=kept.most_bytes,
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


@router.post("/forget", operation_id="forgetCache", summary="Forget by tag", responses=_FAILURES)
async def forget(request: Request, what: schemas.Forget) -> schemas.ForgottenAnswer:
    """Forget answers that bear one of the tags, in every process and tier, within a second."""
    await on_record(request, "cache.forget", ",".join(what.tags)[:200], {"tags": what.tags})
    store = request.state.responses
    found = len(store.cache.local.tagged(what.tags)) + await services(request).results.forget_everywhere(what.tags)
    await store.feed.publish(Change(ChangeKind.CACHE, tuple(what.tags)))
    return schemas.ForgottenAnswer(data=schemas.Forgotten(entries=found))


@router.post("/warm", operation_id="warmCache", summary="Work golden queries out anew", responses=_FAILURES)
async def warm_cache(request: Request) -> schemas.WarmedAnswer:
    """Ask for every golden query (`AURUM_CACHE__GOLDEN`) past what is kept, in the process that answers."""
    golden = request.state.responses.settings.golden
    await on_record(request, "cache.warm", "", {"queries": list(golden)})
    inwards = request.app.from_cache_inwards
    answered = await warm(inwards, request.scope["state"], golden) if inwards is not None else 0
    return schemas.WarmedAnswer(data=schemas.Warmed(queries=list(golden), answered=answered))
