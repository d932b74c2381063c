"""Slices that collide stop the start-up, and importing the service does nothing."""

from __future__ import annotations

import pytest
from fastapi import APIRouter

from aurum.api.registry import SLICES, RouteCollision, checked


def router(*paths: str) -> APIRouter:
    made = APIRouter()
    for path in paths:
        made.add_api_route(path, lambda: None, methods=["GET"])
    return made


def test_the_slices_of_the_service_do_not_collide() -> None:
    assert checked(SLICES) is SLICES


def test_two_slices_of_one_name_are_refused() -> None:
    with pytest.raises(RouteCollision, match="two slices are called a"):
        checked([("a", router("/x")), ("a", router("/y"))])


def test_two_routes_on_one_path_and_method_are_refused() -> None:
    with pytest.raises(RouteCollision, match="GET /x is in a and in b"):
        checked([("a", router("/x")), ("b", router("/x"))])
