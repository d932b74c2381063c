"""Metrics of requests, caches and dependencies."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from aurum.api.cache.store import ResponseStore
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.admission import AdmissionQueue
from aurum.api.middleware.refusal import VITAL
from aurum.api.push.places import ListenerPlaces
from aurum.common.cache import Tally
from aurum.common.ratelimit import Limiter
from aurum.common.resilience.guards import Guards
from aurum.common.settings.telemetry import TelemetrySettings
from aurum.common.telemetry.metrics import Cell, Metrics, Reading
from aurum.core.access import RatePlan
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.probe import StoreProbe

DURATION_BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Seconds, from a cached response to the deadline; the limits of the objectives are among them."""


class RequestTallies:
    """Counts every request, cached responses included: an observer of ``RequestContext``."""

    def __init__(self, metrics: Metrics, settings: TelemetrySettings) -> None:
        self._histogram = metrics.histogram(
            "http_server_request_duration_seconds",
            "Seconds until a response was sent, by route, method, status and result of the response cache.",
            labels=("http_route", "http_request_method", "http_response_status_code", "cache"),
            bounds=DURATION_BOUNDS,
        )
        self._objectives = metrics.counter(
            "aurum_slo_requests_total", "Requests by objective and whether they met it.", labels=("objective", "met")
        )
        # Starting at 0: a counter that Prometheus first sees at 1 has not increased for it.
        self._objectives.values.update(dict.fromkeys(_MET.values(), 0))
        self._limits = {"hit": settings.cached_slo_s, "stale": settings.cached_slo_s}
        self._otherwise = settings.history_slo_s
        self._cached: dict[tuple[str, int], Cell] = {}
        self._cells: dict[tuple[str, str, int, str], _Counted] = {}

    def __call__(self, scope: Scope, state: RequestState) -> None:
        ended = state.begun if state.is_listening else time.perf_counter()
        took = ended - state.started
        key = (state.route, scope["method"], state.status, state.cache)
        counted = self._cells.get(key)
        if counted is None:
            counted = self._new(scope, state)
        cell = counted.cell
        cell.counts[bisect_left(cell.bounds, took)] += 1
        cell.total += took
        values = self._objectives.values
        if counted.objective is not None:
            # Measured until the response began: the rest depends on its size and on the client's connection.
            met = _MET[counted.objective, state.begun - state.started <= counted.limit]
            values[met] = values.get(met, 0) + 1
        if counted.available is not None:
            values[counted.available] = values.get(counted.available, 0) + 1

    def count_cached(self, route: str, status: int, took: float) -> None:
        """Count a cached response that the fast path sent, so that no layer saw it."""
        cell = self._cached.get((route, status))
        if cell is None:
            cell = self._cached[route, status] = self._histogram.cell(route, "GET", str(status), "hit")
        cell.counts[bisect_left(cell.bounds, took)] += 1
        cell.total += took
        values = self._objectives.values
        met = _CACHED_MET if took <= self._limits["hit"] else _CACHED_MISSED
        values[met] = values.get(met, 0) + 1
        values[_AVAILABLE] = values.get(_AVAILABLE, 0) + 1

    def _new(self, scope: Scope, state: RequestState) -> _Counted:
        if not state.route:
            route = scope.get("route")
            state.route = route.path if route is not None else "none"
        cell = self._histogram.cell(state.route, scope["method"], str(state.status), state.cache)
        objective = available = None
        if state.route not in VITAL:
            if state.status not in _REFUSED:
                available = _MET["availability", 0 < state.status < 500]
            if 0 < state.status < 400:
                objective = "cached" if state.cache in self._limits else "history"
        counted = _Counted(cell, objective, self._limits.get(state.cache, self._otherwise), available)
        self._cells[state.route, scope["method"], state.status, state.cache] = counted
        return counted


@dataclass(frozen=True, slots=True)
class _Counted:
    """How requests with the same route, method, status and cache result are counted.

    ``objective``: the latency objective that they count for; None: none. ``available``: the labels under which they count for
    availability; None: they do not count.
    """

    cell: Cell
    objective: str | None
    limit: float
    available: tuple[str, str] | None


_REFUSED = frozenset({401, 403, 429})
"""Statuses that do not count for availability: a scanner that gets many must not make the ratio look better."""

_MET = {
    (objective, met): (objective, str(met).lower())
    for objective in ("availability", "cached", "history")
    for met in (True, False)
}

_CACHED_MET, _CACHED_MISSED, _AVAILABLE = _MET["cached", True], _MET["cached", False], _MET["availability", True]


def count_cache(metrics: Metrics, tallies: Sequence[Mapping[tuple[str, str], Tally]], store: ResponseStore) -> None:
    """Register metrics of cache look-ups, and of entries and bytes of the response cache."""

    def read() -> Reading:
        for each in tallies:
            for (tier, keyspace), tally in list(each.items()):
                yield (tier, keyspace, "hit"), tally.hits
                yield (tier, keyspace, "stale"), tally.stale
                yield (tier, keyspace, "miss"), tally.misses

    labels = ("tier", "keyspace", "result")
    metrics.gauge("aurum_cache_lookups_total", "Look-ups by tier, keyspace and result.", read, labels=labels, counts=True)
    metrics.gauge("aurum_cache_entries", "Responses cached in this process.", lambda: [((), len(store.cache.local))])
    metrics.gauge(
        "aurum_cache_bytes", "Bytes of the responses cached in this process.", lambda: [((), store.cache.local.weight)]
    )


def watch_feed(metrics: Metrics, feed: ChangeFeed) -> None:
    """Register the lag of the change feed."""

    def behind() -> Reading:
        return [((), max(0.0, min(time.monotonic() - feed.delivered_until, 86_400.0)))]

    metrics.gauge("aurum_change_feed_behind_seconds", "Seconds for which changes may not have been received.", behind)


def watch_admission(metrics: Metrics, gate: AdmissionQueue, limiter: Limiter[RatePlan]) -> None:
    """Register requests under way, waiting and refused, by reason."""

    def refused() -> Reading:
        state = gate.state()
        return [(("overload",), state.refused), (("deadline",), state.expired), (("rate limit",), limiter.refused)]

    def under_way() -> Reading:
        return [((), gate.places.in_use)]

    def waiting() -> Reading:
        return [((), gate.places.waiting)]

    metrics.gauge(
        "aurum_requests_refused_total",
        "Requests refused by admission, deadline or rate limit.",
        refused,
        labels=("reason",),
        counts=True,
    )
    metrics.gauge("aurum_requests_under_way", "Requests that are worked on.", under_way)
    metrics.gauge("aurum_requests_waiting", "Requests that wait for admission.", waiting)


def watch_listeners(metrics: Metrics, places: ListenerPlaces) -> None:
    """Register the number of listeners."""
    metrics.gauge("aurum_change_listeners", "Open streams of events, of changes and of jobs.", lambda: [((), places.total)])


def watch_pool(metrics: Metrics, probe: StoreProbe) -> None:
    """Register the use of the connection pool."""
    metrics.gauge("aurum_store_connections_busy", "Connections to the store in use.", lambda: [((), probe.use().busy)])
    metrics.gauge("aurum_store_connections_most", "Connections to the store at most.", lambda: [((), probe.use().most)])
    metrics.gauge(
        "aurum_store_connections_awaited",
        "Requests that wait for a connection to the store.",
        lambda: [((), probe.use().waiting)],
    )


def watch_guards(metrics: Metrics, guards: Guards) -> None:
    """Register circuit breakers, retries, timeouts and bulkheads of dependencies."""
    by = ("dependency",)

    def is_open() -> Reading:
        return [((one.name,), float(one.state().circuit != "closed")) for one in guards.circuits]

    def opened() -> Reading:
        return [((one.name,), one.state().opened) for one in guards.circuits]

    def again() -> Reading:
        return [((one.name,), one.attempts - one.calls) for one in (retry.state() for retry in guards.retries)]

    def expired() -> Reading:
        return [((one.name,), one.state().expired) for one in guards.timeouts]

    def in_use() -> Reading:
        return [((one.name,), one.in_use) for one in guards.bulkheads]

    metrics.gauge("aurum_breaker_open", "1 while the circuit breaker of a dependency is open.", is_open, labels=by)
    metrics.gauge(
        "aurum_breaker_opened_total",
        "Number of times the circuit breaker of a dependency opened.",
        opened,
        labels=by,
        counts=True,
    )
    metrics.gauge("aurum_retries_total", "Attempts after a failed one.", again, labels=by, counts=True)
    metrics.gauge("aurum_timeouts_total", "Calls ended by a timeout.", expired, labels=by, counts=True)
    metrics.gauge("aurum_bulkhead_places_taken", "Places of a dependency in use.", in_use, labels=by)
