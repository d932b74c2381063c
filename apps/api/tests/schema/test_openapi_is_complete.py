"""openapi.json tells all there is to know: every route, parameter, answer and failure."""

from __future__ import annotations

from typing import Any

import pytest
from contract import contract

from aurum.api.contract.params import MANY_SERIES, ONE_SERIES, REVISIONS
from aurum.api.main import create_app
from aurum.common.settings import Settings

DOCUMENT = contract()
OPERATIONS = {
    f"{method} {path}": operation for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
}
PARAMETERS = [
    pytest.param(parameter, id=f"{name} {parameter['name']}")
    for name, operation in OPERATIONS.items()
    for parameter in operation.get("parameters", [])
    if "$ref" not in parameter
] + [pytest.param(parameter, id=name) for name, parameter in DOCUMENT["components"]["parameters"].items()]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_is(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]


def request_headers(name: str) -> set[str]:
    """Return the request headers of an operation, by their names in the components."""
    return {one["$ref"].rpartition("/")[2] for one in OPERATIONS[name]["parameters"] if "$ref" in one}


def response_headers(name: str, status: str) -> set[str]:
    """Return the headers of a response."""
    return set(OPERATIONS[name]["responses"][status]["headers"])


def test_headers_of_requests_are_told() -> None:
    assert request_headers("get /v2/series") == {"RequestId", "IfNoneMatch"}
    assert request_headers("post /v2/admin/jobs") == {"RequestId", "IdempotencyKey"}
    assert request_headers("get /v2/admin/keys") == {"RequestId"}


def test_headers_of_answers_are_told() -> None:
    assert {"ETag", "X-Cache", "Age", "RateLimit-Remaining", "Link"} <= response_headers("get /v2/series", "200")
    assert "ETag" in response_headers("get /v2/catalog/sources", "304")
    assert "Retry-After" in response_headers("get /v2/series", "503")
    assert "WWW-Authenticate" in response_headers("get /v2/series", "401")
    assert "Idempotent-Replayed" in response_headers("post /v2/admin/jobs", "202")
    assert "409" in OPERATIONS["post /v2/observations/query"]["responses"]
    for name, operation in OPERATIONS.items():
        for status in operation["responses"]:
            assert "X-Request-Id" in response_headers(name, status)


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_parameter_is_described_and_shown(parameter: dict[str, Any]) -> None:
    assert parameter["description"]
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    closed = any("enum" in kind or "$ref" in kind or "const" in kind or kind.get("type") == "boolean" for kind in kinds)
    opaque = parameter["name"] == "cursor"
    assert closed or opaque or "example" in parameter or "examples" in schema or "examples" in parameter


@pytest.mark.parametrize("name", [name for name in OPERATIONS if " /v2" in name])
def test_every_failure_is_a_problem_document(name: str) -> None:
    responses = OPERATIONS[name]["responses"]
    assert {"422", "500", "503"} <= set(responses)
    for status, response in responses.items():
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["/v2/series/{key}/observations", "/v2/series/{key}/revisions", "/v2/observations"])
def test_observations_are_declared_in_every_format(path: str) -> None:
    responses = OPERATIONS[f"get {path}"]["responses"]
    pictures = {"image/svg+xml", "image/png"} if path == "/v2/series/{key}/observations" else set()
    assert set(responses["200"]["content"]) - pictures == {
        "application/json",
        "application/x-ndjson",
        "text/csv",
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.parquet",
    }
    assert pictures <= set(responses["200"]["content"])
    assert {"304", "406"} <= set(responses)


def test_every_route_that_draws_has_the_form_of_a_picture_and_no_other_has() -> None:
    for name, operation in OPERATIONS.items():
        draws = "image/svg+xml" in operation["responses"].get("200", {}).get("content", {})
        named = {one.get("name") for one in operation["parameters"]}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if "$ref" in body:
            named |= set(DOCUMENT["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]].get("properties", {}))
        assert ({"width", "height", "theme"} <= named) == draws, name


def test_what_the_routes_read_is_what_is_documented() -> None:
    for path, parameters in (
        ("/v2/series/{key}/observations", ONE_SERIES),
        ("/v2/series/{key}/revisions", REVISIONS),
        ("/v2/observations", MANY_SERIES),
    ):
        documented = [one["name"] for one in OPERATIONS[f"get {path}"]["parameters"] if one.get("in") == "query"]
        assert documented == [parameter.name for parameter in parameters]


def test_every_reference_leads_somewhere() -> None:
    components = DOCUMENT["components"]
    there = {f"#/components/{kind}/{name}" for kind in ("schemas", "parameters", "headers") for name in components[kind]}

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [reference for value in node.values() for reference in references(value)]
        return [reference for value in node for reference in references(value)] if isinstance(node, list) else []

    used = set(references(DOCUMENT))
    assert used
    assert used <= there


def test_the_contract_in_the_repository_is_the_one_served(served_document: dict[str, Any]) -> None:
    assert served_document == DOCUMENT, "run `aurum openapi`"


def test_the_contract_does_not_depend_on_settings() -> None:
    other = Settings(api={"page_limit": 5, "document_rows": 7})  # type: ignore[arg-type] - pydantic reads mappings
    assert create_app(other).openapi() == DOCUMENT
