"""A 422 names the wrong member of a body by its path, and no class or branch of a union of the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from contract import contract
from fastapi.routing import APIRoute

from aurum.api.http.problems import wrong_fields
from aurum.api.main import create_app
from aurum.common.settings import Settings

ROUTES = {
    f"{method} {route.path_format}": route
    for route in create_app(Settings()).routes
    if isinstance(route, APIRoute) and route.body_field is not None
    for method in sorted(route.methods)
}
OPERATIONS = {
    f"{method.upper()} {path}": operation["requestBody"]["content"]["application/json"]["schema"]
    for path, methods in contract()["paths"].items()
    for method, operation in methods.items()
    if "requestBody" in operation
}
SCHEMAS = contract()["components"]["schemas"]
WRONG = ("no such thing", "2018-02-30", "", 12.5, -1, 10**30, True, [], ["x"], [{}], {}, {"x": 1}, {"start": 1}, None)
"""Values of every type of JSON: of each union of a schema, some member does not take them."""
DEEPEST = 5
"""Levels of members; those of filters contain each other."""

Schema = Mapping[str, Any]


def forms(schema: Schema) -> Iterator[Schema]:
    """Yield the forms of a schema, with references followed."""
    if "$ref" in schema:
        yield from forms(SCHEMAS[schema["$ref"].rpartition("/")[2]])
        return
    members = [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]
    if not members:
        yield schema
    for member in members:
        yield from forms(member)


def bodies(schema: Schema, depth: int = 0) -> Iterator[Any]:
    """Yield wrong values for a body, then bodies in which one member, at any depth, has a wrong value."""
    yield from WRONG
    if depth == DEEPEST:
        return
    for form in forms(schema):
        for name, member in form.get("properties", {}).items():
            yield from ({name: value} for value in bodies(member, depth + 1))
        if isinstance(form.get("items"), dict):
            yield from ([value] for value in bodies(form["items"], depth + 1))
        if isinstance(form.get("additionalProperties"), dict):
            yield from ({name: value} for name in ("power", "X.1") for value in bodies(form["additionalProperties"], depth + 1))


def is_place(parts: tuple[str | int, ...], sent: Any, schema: Schema) -> bool:
    """Whether a path leads to what was sent, or to a member that is missing."""
    for part in parts:
        every = list(forms(schema))
        if isinstance(sent, list):
            if not isinstance(part, int) or part >= len(sent):
                return False
            sent, schema = sent[part], {"anyOf": [one["items"] for one in every if isinstance(one.get("items"), dict)]}
            continue
        if not isinstance(sent, dict):
            return False
        members = [one["properties"][part] for one in every if part in one.get("properties", {})]
        if part not in sent and not members:
            return False
        more = [one["additionalProperties"] for one in every if isinstance(one.get("additionalProperties"), dict)]
        sent, schema = sent.get(part), {"anyOf": [*members, *more]}
    return True


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_wrong_field_is_a_member_of_the_body(name: str) -> None:
    field = ROUTES[name].body_field
    assert field is not None
    tried = 0
    for body in bodies(OPERATIONS[name]):
        _, errors = field.validate(body, {}, loc=("body",))
        for entry, shown in zip(errors or [], wrong_fields(errors or []), strict=True):
            place = tuple(entry["loc"])[1:]
            place = place[:-1] if place[-1:] == ("[key]",) else place
            assert is_place(place, body, OPERATIONS[name]), (body, entry)
            assert shown["field"] == (".".join(map(str, place)) or "body")
            assert "valid dictionary" not in str(shown["message"]), "a word of Python"
        places = [entry["loc"] for entry in errors or [] if entry["loc"][-1] != "[key]"]
        assert len(places) == len(set(places)), (body, "a member is named once")
        tried += bool(errors)
    assert tried >= len(WRONG) - 3


def test_bodies_with_unions_are_among_those_tried() -> None:
    assert {"POST /v2/curves/build", "POST /v2/curves/explain", "POST /v2/observations/query"} <= set(ROUTES)
