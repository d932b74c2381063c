"""Every route has a policy, and the table finds it for each request."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from aurum.api.registry import surface_of
from aurum.api.routing.policy import PUBLIC, Policy
from aurum.api.routing.router import FeatureRouter, PlainRoute, UndeclaredPolicy
from aurum.api.routing.table import PolicyTable
from aurum.common.settings import ApiSettings, Settings
from aurum.core.access import Permission

READS, WRITES = Policy(Permission.CURVES_READ), Policy(Permission.CURVES_WRITE)


async def answer() -> None:
    return None


def table_of(*routers: FeatureRouter) -> PolicyTable:
    return PolicyTable([declared for router in routers for declared in router.policies], public_paths=("/openapi.json",))


def test_a_route_that_changes_something_needs_a_declared_policy() -> None:
    router = FeatureRouter(reads=READS)
    with pytest.raises(UndeclaredPolicy, match="POST /v2/curves"):
        router.add_api_route("/v2/curves", answer, methods=["POST"])


def test_reading_and_writing_need_what_the_router_declares() -> None:
    router = FeatureRouter(reads=READS, writes=WRITES, prefix="/v2/curves")
    router.add_api_route("", answer, methods=["GET"])
    router.add_api_route("/{key}", answer, methods=["DELETE"])
    table = table_of(router)
    assert table.needed("GET", "/v2/curves") is Permission.CURVES_READ
    assert table.needed("HEAD", "/v2/curves/a") is Permission.CURVES_READ
    assert table.needed("DELETE", "/v2/curves/a") is Permission.CURVES_WRITE
    assert table.needed("PUT", "/v2/curves/a") is Permission.CURVES_WRITE


def test_routes_below_one_prefix_may_need_different_permissions() -> None:
    readers = FeatureRouter(reads=READS, prefix="/v2/curves")
    readers.add_api_route("/{key}", answer, methods=["GET"])
    operators = FeatureRouter(reads=Policy(Permission.ADMIN_READ), prefix="/v2/curves")
    operators.add_api_route("/{key}/audit", answer, methods=["GET"])
    table = table_of(readers, operators)
    assert table.needed("GET", "/v2/curves/a") is Permission.CURVES_READ
    assert table.needed("GET", "/v2/curves/a/audit") is Permission.ADMIN_READ
    assert table.needed("HEAD", "/v2/curves/a/audit") is Permission.ADMIN_READ
    assert table.needed("GET", "/v2/curves/a/other") is Permission.CATALOG_READ


def test_a_plain_route_decides_before_others_as_it_is_called_before_them() -> None:
    operators = FeatureRouter(reads=Policy(Permission.ADMIN_READ), prefix="/v2/curves")
    operators.add_api_route("/{key:path}", answer, methods=["GET"])
    readers = FeatureRouter(reads=READS, prefix="/v2/curves", route_class=PlainRoute)
    readers.add_api_route("/{key:path}/points", answer, methods=["GET"])
    table = table_of(operators, readers)
    assert table.needed("GET", "/v2/curves/a/points") is Permission.CURVES_READ
    assert table.needed("GET", "/v2/curves/a") is Permission.ADMIN_READ


def test_a_fixed_path_lends_its_policy_to_no_route_with_a_parameter_in_that_place() -> None:
    pages = FeatureRouter(reads=PUBLIC, prefix="/v2/curves")
    pages.add_api_route("/help", answer, methods=["GET"])
    points = FeatureRouter(reads=READS, prefix="/v2/curves")
    points.add_api_route("/{key}/points", answer, methods=["GET"])
    table = table_of(pages, points)
    assert table.needed("GET", "/v2/curves/help") is None
    assert table.needed("GET", "/v2/curves/help/points") is Permission.CURVES_READ
    assert table.needed("GET", "/v2/curves/help/other") is None


def test_a_longer_prefix_counts_before_a_shorter_one() -> None:
    pages = FeatureRouter(reads=PUBLIC, prefix="/docs")
    pages.add_api_route("", answer, methods=["GET"])
    quality = FeatureRouter(reads=Policy(Permission.CATALOG_READ), prefix="/docs/quality")
    quality.add_api_route("", answer, methods=["GET"])
    table = table_of(pages, quality)
    assert table.needed("GET", "/docs/guides/x") is None
    assert table.needed("GET", "/docs/quality/x") is Permission.CATALOG_READ


def test_an_unknown_path_needs_a_permission_and_a_public_one_none() -> None:
    table = table_of()
    assert table.needed("GET", "/nowhere") is Permission.CATALOG_READ
    assert table.needed("POST", "/nowhere") is Permission.ADMIN_WRITE
    assert table.needed("GET", "/openapi.json") is None


@pytest.mark.parametrize("is_on", [True, False])
def test_every_route_of_the_service_has_a_policy(is_on: bool) -> None:
    surface = surface_of(Settings(api=ApiSettings(enable_v1=is_on)))
    for feature in surface.features:
        declared = [route for route, _ in feature.router.policies]
        for route, policy in feature.router.policies:
            for method in route.methods or ():
                assert surface.policies.needed(method, re.sub(r"\{[^}]*\}", "a", route.path)) is policy.needs
        assert [route for route in feature.router.routes if isinstance(route, Route)] == declared
