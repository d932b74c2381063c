"""The table of all routes and their policies: the one look-up for access, caches and the OpenAPI document."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi.routing import APIRoute

from aurum.api.routing.policy import PUBLIC, Need, Policy
from aurum.api.routing.router import SAFE_METHODS, PlainRoute
from aurum.core.access import Permission

_DEPTH = 3
"""Path segments by which an area of the API is found."""
_MOST_REMEMBERED = 1_000
_EVENTS = "text/event-stream"
_UNKNOWN_READS = Policy(Permission.CATALOG_READ)
_UNKNOWN_WRITES = Policy(Permission.ADMIN_WRITE)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One route, as far as a request is matched with it. ``order``: its place among the routes as they are tried."""

    order: int
    pattern: re.Pattern[str]
    methods: frozenset[str]
    policy: Policy


@dataclass(slots=True)
class _Area:
    """The routes whose paths have the same fixed segments before the first parameter."""

    reads: list[_Entry] = field(default_factory=list[_Entry])
    writes: list[_Entry] = field(default_factory=list[_Entry])

    def entries(self, method: str) -> list[_Entry]:
        return self.reads if method in SAFE_METHODS or not self.writes else self.writes


class _Place:
    """All areas that a path may belong to, the one with the most fixed segments first.

    A path such as ``/curves/audit/points`` lies in the area of ``/curves/audit`` and in that of ``/curves/{key}/points``.
    """

    def __init__(self, areas: Sequence[_Area]) -> None:
        self._nearest = areas[0]
        self._all = _Area(
            sorted((entry for area in areas for entry in area.entries("GET")), key=_order),
            sorted((entry for area in areas for entry in area.entries("POST")), key=_order),
        )
        self._reads, self._writes = _common_policy(self._all.reads), _common_policy(self._all.writes)

    def policy(self, method: str, path: str) -> Policy:
        is_safe = method in SAFE_METHODS
        common = self._reads if is_safe else self._writes
        return common or self._of_route(method, path)

    def _of_route(self, method: str, path: str) -> Policy:
        # HEAD is answered by the route of GET (``middleware.head``), so it needs the same permission.
        served = "GET" if method == "HEAD" else method
        for entry in self._all.entries(method):
            if served in entry.methods and entry.pattern.fullmatch(path):
                return entry.policy
        # No route: a caller with the permission of the nearest area gets 404, any other 401 or 403.
        unknown = _UNKNOWN_READS if method in SAFE_METHODS else _UNKNOWN_WRITES
        return _common_policy(self._nearest.entries(method)) or unknown


def _order(entry: _Entry) -> int:
    return entry.order


def _common_policy(entries: Sequence[_Entry]) -> Policy | None:
    """Return the policy of routes that all need the same permission; None when they differ."""
    needs = {entry.policy.needs for entry in entries}
    return entries[0].policy if len(needs) == 1 else None


class PolicyTable:
    """The policies of all routes of a service.

    ``routes``: each route with its policy. ``public_paths``: fixed paths that answer without a route of the table.
    """

    def __init__(self, routes: Sequence[tuple[APIRoute, Policy]], *, public_paths: Sequence[str] = ()) -> None:
        self._routes = routes
        self._areas: dict[tuple[str, ...], _Area] = {}
        # Plain routes are tried before all others (``middleware.direct``), so they decide first here as well.
        ordered = sorted(routes, key=lambda declared: not isinstance(declared[0], PlainRoute))
        for order, (route, policy) in enumerate(ordered):
            area = self._areas.setdefault(_fixed_segments(route.path), _Area())
            methods = frozenset(route.methods or ())
            entry = _Entry(order, route.path_regex, methods, policy)
            (area.reads if methods <= SAFE_METHODS else area.writes).append(entry)
        for path in public_paths:
            entry = _Entry(-1, re.compile(re.escape(path)), SAFE_METHODS, PUBLIC)
            self._areas[_fixed_segments(path)] = _Area([entry], [entry])
        self._depths = sorted({len(segments) for segments in self._areas}, reverse=True)
        self._remembered: dict[str, _Place | None] = {}

    def needed(self, method: str, path: str) -> Need | None:
        """Return the permission or the credential that a request needs; None: the path is public.

        A path of no known area needs a permission as well, so that a caller without a credential learns of no path.
        """
        segments = path.split("/", _DEPTH + 2)[1 : _DEPTH + 1]
        key = "/".join(segments)
        if key in self._remembered:
            place = self._remembered[key]
        else:
            place = self._place(tuple(segments))
            if len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[key] = place
        if place is None:
            return (_UNKNOWN_READS if method in SAFE_METHODS else _UNKNOWN_WRITES).needs
        return place.policy(method, path).needs

    def readable(self, path: str) -> Policy | None:
        """Return the policy of the route that answers a GET of this path with data; None: no route, or one without an end."""
        for route, policy in sorted(self._routes, key=lambda declared: not isinstance(declared[0], PlainRoute)):
            if "GET" in (route.methods or ()) and route.path_regex.fullmatch(path):
                return None if _EVENTS in route.responses.get(200, {}).get("content", {}) else policy
        return None

    def needed_by_template(self) -> Mapping[str, Permission]:
        """Return the permission that reading each route needs, by the template of its path; routes without one are left out."""
        return {
            route.path: policy.needs
            for route, policy in self._routes
            if isinstance(policy.needs, Permission) and "GET" in (route.methods or ())
        }

    def needed_by_operation(self) -> Mapping[tuple[str, str], Need]:
        """Return what each operation needs, by its path as OpenAPI writes it and its method; public ones are left out."""
        return {
            (route.path_format, method): policy.needs
            for route, policy in self._routes
            if policy.needs is not None
            for method in route.methods or ()
        }

    def shared_templates(self) -> frozenset[str]:
        """Return the path templates of routes that answer every tenant alike."""
        return frozenset(route.path for route, policy in self._routes if policy.is_shared)

    def tagged_paths(self) -> frozenset[str]:
        """Return the paths, as OpenAPI writes them, whose responses may be cached and so have an entity tag."""
        return frozenset(route.path_format for route, policy in self._routes if policy.is_shared)

    def _place(self, segments: tuple[str, ...]) -> _Place | None:
        depths = (depth for depth in self._depths if depth <= len(segments))
        areas = [self._areas[segments[:depth]] for depth in depths if segments[:depth] in self._areas]
        return _Place(areas) if areas else None


def _fixed_segments(path: str) -> tuple[str, ...]:
    """Return the segments of a path before its first parameter, three at most."""
    return tuple(itertools.takewhile(lambda segment: "{" not in segment, path.split("/")[1 : _DEPTH + 1]))
