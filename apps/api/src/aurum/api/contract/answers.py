"""The responses of routes that write their own bytes, as openapi.json describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from aurum.api.encoding.negotiate import MEDIA_TYPES


def answers(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """200 in every format and 304. The JSON document is described by the model."""
    content: dict[str, Any] = {
        media_type.split(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()
    }
    content["text/csv"] = content["application/x-ndjson"] = {"schema": {"type": "string"}}
    content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {
        200: {"description": "The observations", "content": content},
        304: {"description": "The caller has the answer already (`If-None-Match`)"},
    }
