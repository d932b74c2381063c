"""The responses of routes that write their own bytes, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from aurum.api.encoding.negotiate import MEDIA_TYPES


def answers(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that sends observations: 200 in every format, and 304.

    ``model``: describes the JSON document.
    """
    content: dict[str, Any] = {
        media_type.split(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()
    }
    content["text/csv"] = content["application/x-ndjson"] = {"schema": {"type": "string"}}
    content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {
        200: {"description": "The observations", "content": content},
        304: {"description": "Not modified: `If-None-Match` names the current `ETag`"},
    }
