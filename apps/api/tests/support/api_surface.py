"""The surface of the HTTP API without its prose: what clients depend on, one line for each operation.

``python apps/api/tests/support/api_surface.py`` writes ``surface.txt`` anew, when a release changes the surface on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[1] / "schema" / "surface.txt"
_PROSE = frozenset({"summary", "description", "title", "example", "examples", "externalDocs"})
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


def surface(document: Mapping[str, Any]) -> dict[str, str]:
    """Return ``METHOD path operationId`` of each operation, with a digest of all that a client depends on.

    Parameters with their places, names and types, bodies, statuses, headers, media types, fields and permissions count; texts
    and names of components do not: references are resolved.
    """
    lines: dict[str, str] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                text = json.dumps(_stripped(operation, document, ()), sort_keys=True)
                digest = hashlib.sha256(text.encode()).hexdigest()[:16]
                lines[f"{method.upper()} {path} {operation['operationId']}"] = digest
    return lines


def _stripped(node: Any, document: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_stripped(part, document, within) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference in within:
            return "the same again"
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        return _stripped(target, document, (*within, reference))
    # A schema's ``properties`` may hold a field of any name, ``description`` among them.
    return {
        name: {key: _stripped(value, document, within) for key, value in part.items()}
        if name == "properties" and isinstance(part, dict)
        else _stripped(part, document, within)
        for name, part in node.items()
        if name not in _PROSE
    }


def recorded() -> dict[str, str]:
    """Return the surface of the last release that changed it."""
    lines = (line.rpartition(" ") for line in RECORDED.read_text().splitlines() if line)
    return {operation: digest for operation, _, digest in lines}


def written(lines: Mapping[str, str]) -> str:
    """Return the text of the file."""
    return "".join(f"{operation} {digest}\n" for operation, digest in sorted(lines.items()))


if __name__ == "__main__":
    from aurum.api.main import openapi_document

    RECORDED.write_text(written(surface(openapi_document())))
