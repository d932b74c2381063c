"""The rules of ``contracts/spectral.yaml``: a document that breaks one of them fails that rule."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SPECTRAL = ROOT / "tools" / "spectral" / "node_modules" / ".bin" / "spectral"

NODE = shutil.which("node") or ""

pytestmark = [
    pytest.mark.needs_process,
    pytest.mark.skipif(not (NODE and SPECTRAL.exists()), reason="`make spectral` installs what this needs"),
]

Document = dict[str, Any]

_PROBLEM = {"description": "It failed", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
_PAGE = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": {"type": "string"}},
        "meta": {"type": "object", "properties": {"next_cursor": {"type": "string"}}},
    },
}


def document() -> Document:
    """Return a small document that satisfies every rule."""
    failures = {"422": _PROBLEM, "500": _PROBLEM, "503": _PROBLEM}
    parameters = [
        {"name": "source", "in": "query", "description": "Of one.", "schema": {"type": "string"}, "example": "nyiso"},
        {"name": "limit", "in": "query", "description": "At most.", "schema": {"type": "integer", "minimum": 1, "default": 9}},
        {"name": "cursor", "in": "query", "description": "Of a page.", "schema": {"type": "string"}},
    ]
    text = {"description": "Said at length.", "tags": ["series"]}
    ok = {"description": "A page", "content": {"application/json": {"schema": _PAGE}}}
    body = {"content": {"application/json": {"schema": {"type": "object"}, "example": {}}}}
    return copy.deepcopy(
        {
            "openapi": "3.1.0",
            "info": {"title": "Aurum", "version": "2.0", "description": "Numbers."},
            "paths": {
                "/v2/series": {
                    "get": {"operationId": "listSeries", "summary": "Some", **text, "parameters": parameters,
                            "responses": {"200": ok, **failures}},
                    "post": {"operationId": "makeSeries", "summary": "Make", **text, "requestBody": body,
                             "responses": {"200": ok, **failures}},
                },
            },
            "components": {"schemas": {}},
        }
    )  # fmt: skip


def broken_rules(document_: Document, folder: Path) -> set[str]:
    """Return the names of the rules that a document breaks."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(document_))
    command = [NODE, SPECTRAL, "lint", "--quiet", "--format", "json", "--ruleset", ROOT / "contracts" / "spectral.yaml", path]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={"NODE_OPTIONS": "--no-deprecation"})
    assert run.returncode in (0, 1), run.stderr
    return {one["code"] for one in json.loads(run.stdout[run.stdout.index("[") :])}


def get(what: Document) -> Document:
    return what["paths"]["/v2/series"]["get"]


BREAK: dict[str, Callable[[Document], object]] = {
    "operation-is-named-and-explained": lambda d: get(d).pop("description"),
    "operation-id-is-camel-case": lambda d: get(d).update(operationId="list_series"),
    "summary-is-a-line": lambda d: get(d).update(summary="Some."),
    "path-segments-are-kebab-case": lambda d: d["paths"].update({"/v2/seriesKey": d["paths"].pop("/v2/series")}),
    "parameter-is-snake-case": lambda d: get(d)["parameters"][0].update(name="sourceName"),
    "parameter-is-explained": lambda d: get(d)["parameters"][0].pop("description"),
    "parameter-is-shown": lambda d: get(d)["parameters"][0].pop("example"),
    "body-is-shown": lambda d: d["paths"]["/v2/series"]["post"]["requestBody"]["content"]["application/json"].pop("example"),
    "property-is-snake-case": lambda d: d["components"]["schemas"].update(
        {"One": {"type": "object", "properties": {"knownAt": {}}}}
    ),
    "failure-is-a-problem-document": lambda d: get(d)["responses"]["422"]["content"].update({"application/json": {}}),
    "operation-says-how-it-can-fail": lambda d: get(d)["responses"].pop("503"),
    "page-has-limit-and-cursor": lambda d: get(d)["parameters"].pop(1),
    "page-is-data-and-meta": lambda d: get(d)["responses"]["200"]["content"]["application/json"]["schema"]["properties"].pop(
        "meta"
    ),
    "limit-has-bounds": lambda d: get(d)["parameters"][1]["schema"].pop("default"),
}


def test_a_document_that_satisfies_the_rules_breaks_none(tmp_path: Path) -> None:
    assert broken_rules(document(), tmp_path) == set()


@pytest.mark.parametrize("rule", BREAK)
def test_a_broken_rule_is_found(rule: str, tmp_path: Path) -> None:
    broken = document()
    BREAK[rule](broken)
    assert rule in broken_rules(broken, tmp_path)


def test_every_rule_of_the_repository_is_broken_here() -> None:
    lines = (ROOT / "contracts" / "spectral.yaml").read_text().splitlines()
    rules = {line.strip(" :") for line in lines if line.startswith("  ") and line.endswith(":") and line[2] != " "}
    assert rules == set(BREAK)
