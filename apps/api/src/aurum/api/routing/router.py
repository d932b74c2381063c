"""Routers whose routes have policies, and routes whose handlers read the request themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, params
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.cache.caching import cached_as
from aurum.api.routing.policy import Policy

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""


class UndeclaredPolicy(Exception):
    """A route that changes something on a router that does not say who may do it. The text names the route."""


class PlainRoute(APIRoute):
    """Calls ``handler(request)``; FastAPI only documents it.

    For the routes that answer with observations: resolving and validating parameters through FastAPI costs such a request
    40 µs, a fifth of all it takes. ``openapi_extra`` describes what the handler reads.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


class FeatureRouter(APIRouter):
    """The routes of one feature, each with its policy.

    ``reads``: the policy of routes with a safe method. ``writes``: the policy of the others; a router without one refuses
    such a route with ``UndeclaredPolicy``.
    """

    def __init__(
        self,
        *,
        reads: Policy,
        writes: Policy | None = None,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[params.Depends] = (),
        route_class: type[APIRoute] = APIRoute,
        include_in_schema: bool = True,
        deprecated: bool | None = None,
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=[*tags],
            dependencies=dependencies,
            route_class=route_class,
            include_in_schema=include_in_schema,
            deprecated=deprecated,
        )
        self._reads = reads
        self._writes = writes
        self.policies: list[tuple[APIRoute, Policy]] = []

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # type: ignore[override] - as FastAPI calls it
        policy = self._policy(self.prefix + path, options.get("methods") or ["GET"])
        if policy.cached is not None:
            rule = cached_as(policy.cached.data_class, *policy.cached.tags)
            options["dependencies"] = [*(options.get("dependencies") or ()), rule]
        super().add_api_route(path, endpoint, **options)
        route = self.routes[-1]
        assert isinstance(route, APIRoute)
        self.policies.append((route, policy))

    def _policy(self, path: str, methods: Sequence[str]) -> Policy:
        policy = self._reads if SAFE_METHODS.issuperset(methods) else self._writes
        if policy is None:
            raise UndeclaredPolicy(
                f"{', '.join(methods)} {path}: its router does not say who may use it; pass writes=Policy(...)"
            )
        return policy
