"""Values that no schema expects, in every member of every body and every parameter: told to be wrong, never a defect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from contract import contract

pytestmark = pytest.mark.needs_postgres

VALUES: list[Any] = [
    "\x00",
    "\ud800",
    "x" * 100_000,
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "NaN",
    -1,
    2**31,
    2**63,
    10**400,
    1e308,
    None,
    True,
    [None],
    ["\x00"],
    ["\ud800"],
    {"a": {"\x00": "\x00"}},
]
BODIES = (b"\xff\xfe", b'"\\ud800"', b'{"a":' * 5_000, b"[" * 50_000, b"null", b"1e999", b'{"name":NaN}', b"")
EXPECTED = (501, 503)
"""Statuses of a service without curves or a queue."""

DOCUMENT = contract()
SCHEMAS = DOCUMENT["components"]["schemas"]
WRITES = [
    (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if method in ("post", "put", "patch", "delete")
]
READS = [path for path, operations in DOCUMENT["paths"].items() if "get" in operations]


def resolved(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects a schema allows."""
    if "$ref" in schema:
        return resolved(SCHEMAS[schema["$ref"].rsplit("/", 1)[-1]])
    return [one for each in schema["anyOf"] for one in resolved(each)] if "anyOf" in schema else [schema]


def address(path: str, operation: Mapping[str, Any], **replacements: object) -> str:
    """Return the path with the examples of its parameters, or with ``replacements`` by name of the parameter."""
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            continue  # a header, which all take
        if parameter["in"] == "path":
            example = parameter.get("example") or (parameter["schema"].get("examples") or ["x"])[0]
            path = path.replace("{" + parameter["name"] + "}", as_text(replacements.get(parameter["name"], example)))
    return path


def as_text(value: object) -> str:
    return quote(str(value).encode("utf-8", "surrogatepass")[:3_000], safe="")


def bodies(operation: Mapping[str, Any]) -> Iterator[bytes]:
    """Good bodies with one member, or one member of a member, made wrong."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    for schema in resolved(content["schema"]):
        good = (schema.get("examples") or [{}])[0]
        for example in [good, *(one["value"] for one in content.get("examples", {}).values())]:
            for name in {*schema.get("properties", {}), *example}:
                for value in VALUES:
                    yield json.dumps({**example, name: value}).encode()
                    inner = example.get(name)
                    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
                        yield from (json.dumps({**example, name: [{**inner[0], each: value}]}).encode() for each in inner[0])
                    if isinstance(inner, dict):
                        yield from (json.dumps({**example, name: {**inner, each: value}}).encode() for each in inner)


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_wrong_body_is_told_so(client: httpx.AsyncClient, method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    for body in (*bodies(operation), *BODIES):
        answer = await client.request(
            method, address(path, operation), content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code < 500 or answer.status_code in EXPECTED, (body[:300], answer.text[:300])


@pytest.mark.parametrize("path", READS)
async def test_a_wrong_parameter_is_told_so(client: httpx.AsyncClient, path: str) -> None:
    operation = DOCUMENT["paths"][path]["get"]
    texts = [value for value in VALUES if isinstance(value, str | int | float)]
    for parameter in operation.get("parameters", []):
        if "$ref" in parameter:
            continue  # a header, which all take
        for value in texts:
            arguments = {parameter["name"]: value} if parameter["in"] == "path" else {}
            query = f"?{parameter['name']}={as_text(value)}" if parameter["in"] == "query" else ""
            answer = await client.get(address(path, operation, **arguments) + query)
            assert answer.status_code < 500 or answer.status_code in EXPECTED, (parameter["name"], value, answer.text[:300])
