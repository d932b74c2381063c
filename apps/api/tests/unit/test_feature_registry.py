"""Features that collide stop the start-up, and importing the service does nothing."""

from __future__ import annotations

import pytest

from aurum.api.registry import FEATURES, LAYERS, Feature, Layer, RouteCollision, enabled_features, enabled_layers
from aurum.api.routing.policy import PUBLIC
from aurum.api.routing.router import FeatureRouter
from aurum.common.settings import Settings

SETTINGS = Settings()


def named(name: str, *paths: str) -> Feature:
    made = FeatureRouter(reads=PUBLIC)
    for path in paths:
        made.add_api_route(path, lambda: None, methods=["GET"])
    return Feature(name, made)


def test_the_features_of_the_service_do_not_collide() -> None:
    assert enabled_features(FEATURES, SETTINGS)
    assert enabled_layers(LAYERS, SETTINGS)


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(RouteCollision, match="two features have the name a"):
        enabled_features([named("a", "/x"), named("a", "/y")], SETTINGS)


def test_two_routes_on_one_path_and_method_are_refused() -> None:
    with pytest.raises(RouteCollision, match="GET /x is a route of a and of b"):
        enabled_features([named("a", "/x"), named("b", "/x")], SETTINGS)


def test_what_a_parameter_is_called_does_not_tell_routes_apart_and_what_it_takes_does() -> None:
    with pytest.raises(RouteCollision, match=r"GET /x/\{b\} is a route of a and of b"):
        enabled_features([named("a", "/x/{a}"), named("b", "/x/{b}")], SETTINGS)
    assert len(enabled_features([named("a", "/x/{a:path}"), named("b", "/x/{a}")], SETTINGS)) == 2


def test_two_layers_of_one_name_are_refused() -> None:
    layer = Layer("a", lambda app, _: app)
    with pytest.raises(RouteCollision, match="two layers have the name a"):
        enabled_layers([layer, layer], SETTINGS)


def test_what_settings_turn_off_collides_with_nothing() -> None:
    off = Feature("a", named("a", "/x").router, enabled=lambda _: False)
    assert [one.name for one in enabled_features([off, named("b", "/x")], SETTINGS)] == ["b"]
