"""The permissions of operations, as the OpenAPI document describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurum.core.access import Permission

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a token of the identity provider. A service in open mode on loopback needs neither.",
    },
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}

Needs = Mapping[tuple[str, str], object]
"""The permission that an operation needs, or a mark that any credential suffices, by path and method; without public ones."""


def document_permissions(document: dict[str, Any], needs: Needs) -> None:
    """Add to an OpenAPI document which operations need a credential, and the scope that it must have."""
    document.setdefault("components", {})["securitySchemes"] = {name: dict(scheme) for name, scheme in SCHEMES.items()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            need = needs.get((path, method.upper()))
            if need is None:
                operation["security"] = []
                continue
            operation["security"] = [{name: []} for name in SCHEMES]
            if isinstance(need, Permission):
                operation["x-scope"] = str(need)
