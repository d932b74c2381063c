"""Values that fit a schema and are still too much: nested very deeply, or patterns that cannot be parsed. They are refused, and
nothing is stored that could not be read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from contract import contract

from aurum.common.json_values import DEEPEST

pytestmark = pytest.mark.needs_postgres

DEPTHS = (DEEPEST - 8, 150, 249, 250, 251, 254, 400, 990, 1_010, 5_000)
"""Around where something gives up: this service, what writes JSON (about 250), Python (about 1,000)."""
HERE = "<here>"
EXPECTED = (501, 503)
"""Statuses of a service without a queue."""

DOCUMENT = contract()
WITH_BODIES = [
    (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
]
LISTS = ("/v2/admin/flags", "/v2/admin/audit", "/v2/admin/keys", "/v2/admin/tenants", "/v2/admin/plans")
"""Paths that list what the bodies have stored."""


def nested(depth: int) -> list[bytes]:
    return [b"[" * depth + b"1" + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth]


def examples(operation: Mapping[str, Any]) -> Iterator[Any]:
    """Good bodies of an operation."""
    content = operation["requestBody"]["content"]["application/json"]
    yield from (one["value"] for one in content.get("examples", {}).values())
    schema = content["schema"]
    names = [one["$ref"].rsplit("/", 1)[-1] for one in (schema, *schema.get("anyOf", [])) if "$ref" in one]
    yield from (example for name in names for example in DOCUMENT["components"]["schemas"][name].get("examples", []))


def marked(value: Any) -> Iterator[Any]:
    """A value with each of its parts in turn replaced by ``HERE``, or with one member more."""
    yield HERE
    if isinstance(value, dict):
        yield {**value, "more": HERE}
        yield from ({**value, name: part} for name in value for part in marked(value[name]))
    elif isinstance(value, list):
        yield from ([*value[:place], part, *value[place + 1 :]] for place in range(len(value)) for part in marked(value[place]))


def address(path: str, operation: Mapping[str, Any]) -> str:
    """The path with the examples of its parameters."""
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            continue  # a header, which all take
        if parameter["in"] == "path":
            example = parameter.get("example") or parameter["schema"]["examples"][0]
            path = path.replace("{" + parameter["name"] + "}", str(example))
    return path


async def send(client: httpx.AsyncClient, method: str, path: str, body: bytes) -> httpx.Response:
    return await client.request(method, path, content=body, headers={"content-type": "application/json"})


async def assert_all_is_told(client: httpx.AsyncClient) -> None:
    for path in LISTS:
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])


def flag_with(operator: str, value: object) -> dict[str, Any]:
    return {"rules": [{"conditions": [{"attribute": "a", "operator": operator, "value": value}], "variant": "on"}]}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff" * 100, b'"\\ud800"', b"1" * 100_000, b"-" * 9])
async def test_a_body_of_any_bytes_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    for method, path in WITH_BODIES:
        answer = await send(client, method, address(path, DOCUMENT["paths"][path][method]), body)
        assert answer.status_code in (404, 422), (path, answer.text[:300])


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b'{"template":', "application/json", "is not JSON: Expecting value at character 12"),
        (b'{"template": "\xff"}', "application/json", "cannot be read: JSON is UTF-8, and it is not"),
        (b"[" * 100_000, "application/json", "cannot be read: its values are nested too deeply"),
        (b"1" * 100_000, "application/json", "cannot be read: a number in it has too many digits"),
        (b'{"template": "spark"}', "text/plain", "must be JSON, sent with the header Content-Type: application/json"),
        (b'{"template": "spark"}', "application/x-www-form-urlencoded", "must be JSON, sent with the header"),
        (b"[]", "application/json", "must be an object"),
    ],
    ids=["cut", "not UTF-8", "deep", "long number", "text", "form", "array"],
)
async def test_a_body_that_cannot_be_read_is_told_why(client: httpx.AsyncClient, body: bytes, kind: str, says: str) -> None:
    answer = await client.post("/v2/curves/spread", content=body, headers={"content-type": kind})
    assert answer.status_code == 422, answer.text[:300]
    (error,) = answer.json()["errors"]
    assert error["field"] == "body"
    assert error["message"].startswith(says)
    assert answer.json()["detail"] == f"body: {error['message']}"


@pytest.mark.parametrize(("method", "path"), WITH_BODIES)
async def test_what_is_nested_without_end_is_told_so(client: httpx.AsyncClient, method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    where = address(path, operation)
    bodies = {json.dumps(body) for example in examples(operation) for body in marked(example)}
    assert bodies, "an example to begin with"
    for body in sorted(bodies):
        for value in (deep for depth in DEPTHS for deep in nested(depth)):
            answer = await send(client, method, where, body.encode().replace(json.dumps(HERE).encode(), value))
            is_expected = answer.status_code < 500 or answer.status_code in EXPECTED
            assert is_expected, (body[:300], value[:10], len(value), answer.text[:300])
    await assert_all_is_told(client)


@pytest.mark.parametrize("depth", range(DEEPEST - 8, DEEPEST + 4))
async def test_a_flag_is_refused_or_can_be_told_again(client: httpx.AsyncClient, depth: int) -> None:
    flag = flag_with("in", json.loads("[" * depth + "]" * depth))
    made = await client.put("/v2/admin/flags/deep", json=flag)
    assert made.status_code in (200, 422)
    assert (made.status_code == 200) == (depth <= DEEPEST - 5), "the flag, its rules, a rule, its conditions, a condition"
    await assert_all_is_told(client)
    await client.delete("/v2/admin/flags/deep")


@pytest.mark.parametrize(
    "pattern",
    ["[", "(?P<a>", "a{99999999999999}", "(" * 5_000, "(?:" * 3_000 + ")" * 3_000],
    ids=["open", "open group", "too many", "too deep and open", "too deep"],
)
async def test_a_pattern_that_cannot_be_read_is_told_so(client: httpx.AsyncClient, pattern: str) -> None:
    answer = await client.put("/v2/admin/flags/pattern", json=flag_with("matches", pattern))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text[:300]
