"""Routers of version 1."""

from __future__ import annotations

from aurum.api.routing.policy import Policy
from aurum.api.routing.router import FeatureRouter
from aurum.api.v1.problems import V1Route
from aurum.core.access import Permission


def v1_router(prefix: str, tag: str, needs: Permission) -> FeatureRouter:
    """Return a router for routes of version 1 below a prefix. ``needs``: the permission that reading needs.

    Its responses are never cached by the service: whether a tenant gets one depends on a flag (``v1.switch``).
    """
    return FeatureRouter(reads=Policy(needs), prefix=prefix, tags=[tag], route_class=V1Route, deprecated=True)
