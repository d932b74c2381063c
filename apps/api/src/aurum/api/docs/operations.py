"""The operations of the OpenAPI document, as the portal lists and searches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. ``text``: its description and parameters, for the search."""

    method: str
    path: str
    tag: str
    name: str
    summary: str
    text: str

    @property
    def url(self) -> str:
        """The address of the operation in the reference."""
        return f"/docs/reference#/{quote(self.tag)}/{quote(self.name)}"


def operations(document: Mapping[str, Any]) -> Sequence[Operation]:
    """Return all operations of an OpenAPI document, in its order."""
    return [
        _operation(method, path, item[method])
        for path, item in document.get("paths", {}).items()
        for method in _METHODS
        if method in item
    ]


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Operation:
    parameters = [f"{one['name']} {one.get('description', '')}" for one in operation.get("parameters", ()) if "name" in one]
    return Operation(
        method.upper(),
        path,
        next(iter(operation.get("tags", ())), "default"),
        operation.get("operationId", ""),
        operation.get("summary", path),
        " ".join([operation.get("description", ""), *parameters]).replace("`", "").replace("**", ""),
    )
