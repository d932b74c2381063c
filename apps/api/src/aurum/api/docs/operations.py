"""The operations of openapi.json, as the portal lists and finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """``text``: everything else it says of itself, to be searched."""

    method: str
    path: str
    tag: str
    name: str
    summary: str
    text: str

    @property
    def url(self) -> str:
        """Its place in the reference."""
        return f"/docs/reference#/{quote(self.tag)}/{quote(self.name)}"


def operations(document: Mapping[str, Any]) -> Sequence[Operation]:
    """All operations of an OpenAPI document, in its order."""
    return [
        _operation(method, path, item[method])
        for path, item in document.get("paths", {}).items()
        for method in _METHODS
        if method in item
    ]


def _operation(method: str, path: str, found: Mapping[str, Any]) -> Operation:
    parameters = [f"{one['name']} {one.get('description', '')}" for one in found.get("parameters", ()) if "name" in one]
    return Operation(
        method.upper(),
        path,
        next(iter(found.get("tags", ())), "default"),
        found.get("operationId", ""),
        found.get("summary", path),
        " ".join([found.get("description", ""), *parameters]).replace("`", "").replace("**", ""),
    )
