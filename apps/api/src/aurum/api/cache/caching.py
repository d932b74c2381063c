"""Cache rules of responses: how long they are fresh, and the tags that invalidate them. ``cache.layer`` applies them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from fastapi import Depends, params
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.handlers.services import services
from aurum.api.http.data_class import Caching, DataClass
from aurum.api.http.request_state import state_of
from aurum.common.settings.cache import FreshSettings
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.storage.ports.changes import Change, ChangeKind

_CLOSED_AFTER = timedelta(days=2)
"""Age at which a day counts as closed: markets publish its values on the day or a day later."""
_HOUR = timedelta(hours=1)
_MOST_SERIES_TAGS = 200


def allow_caching(request: Request, keyspace: str, data_class: DataClass, tags: Iterable[str]) -> None:
    """Let the response to this request be cached."""
    state_of(request.scope).caching = Caching(keyspace, data_class, tuple(tags))


def cached_as(data_class: DataClass, *tags: str) -> params.Depends:
    """Return the dependency of a route whose responses are cached: it allows caching and sets ``Cache-Control``."""

    async def allow(request: Request, response: Response) -> None:
        allow_caching(request, request.scope["route"].path, data_class, tags)
        settings = services(request)
        response.headers["Cache-Control"] = cache_control(
            settings.fresh_s, data_class, stays=data_class is DataClass.REFERENCE, public=settings.public
        )

    return Depends(allow)


def tags_of(series: Iterable[Series]) -> tuple[str, ...]:
    """Return the cache tags of a response with observations of these series: each series, source and market.

    Very many series have one tag in common, so that a change of any series invalidates the response.
    """
    members = list(series)
    tags: dict[str, None] = {"any series": None} if len(members) > _MOST_SERIES_TAGS else {}
    for one in members:
        if len(members) <= _MOST_SERIES_TAGS:
            tags[series_tag(one.series_id)] = None
        tags[f"source:{one.spec.key.source}"] = None
        if one.spec.market is not None:
            tags[f"iso:{one.spec.market}"] = None
    return tuple(tags)


def series_tag(series_id: int | str) -> str:
    """Return the cache tag of responses with observations of one series."""
    return f"series:{series_id}"


def curve_tag(curve_id: int | str) -> str:
    """Return the cache tag of responses with quotes or terms of one product."""
    return f"curve:{curve_id}"


def tags_changed(change: Change) -> tuple[str, ...] | None:
    """Return the tags whose responses a change of the store invalidates; None: all responses."""
    match change.kind:
        case ChangeKind.SERIES:
            # Lists of series show the first and last interval of each, so any change may show in them.
            return (*map(series_tag, change.names), "any series")
        case ChangeKind.CURVES:
            return (*map(curve_tag, change.names), "curves")
        case ChangeKind.CATALOG | ChangeKind.FILES | ChangeKind.MODELS:
            return (str(change.kind),)
        case ChangeKind.CACHE:
            return change.names
        case ChangeKind.ACCESS | ChangeKind.LINKS | ChangeKind.FLAGS | ChangeKind.RECORDED:
            return ()
        case ChangeKind.EVERYTHING:
            return None


def immutable(settings: FreshSettings, *, public: bool) -> str:
    """Return the ``Cache-Control`` of an answer that never changes, so that clients may use it without asking again."""
    return f"{'public' if public else 'private'}, max-age={int(DataClass.HISTORY.fresh_s(settings))}, immutable"


def class_of(series: Iterable[Series], span: Span, as_of: datetime | None, now: datetime) -> DataClass:
    """Return the class of observations over a span: closed days and values known at a past instant seldom change."""
    if (as_of is not None and as_of < now) or (span.end is not None and span.end < now - _CLOSED_AFTER):
        return DataClass.HISTORY
    steps = [one.spec.frequency.step for one in series]
    return DataClass.LIVE if any(step is not None and step < _HOUR for step in steps) else DataClass.DAY


def cache_control(settings: FreshSettings, data_class: DataClass, *, stays: bool, public: bool) -> str:
    """Return the ``Cache-Control`` for clients and proxies. ``stays``: the response never changes, or hardly ever.

    Any other response must be revalidated each time, which costs a 304: no change feed reaches the cache of a browser.
    ``public``: the response is the same for all callers.
    """
    scope = "public" if public else "private"
    age = int(data_class.fresh_s(settings))
    if not stays or age <= 0:
        return f"{scope}, no-cache"
    return f"{scope}, max-age={age}, stale-while-revalidate={min(max(age // 2, 1), 600)}, stale-if-error={min(3 * age, 86_400)}"
