"""The responses of routes that write their own bytes, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from aurum.api.encoding.negotiate import MEDIA_TYPES, PICTURES
from aurum.api.http.problems import problems


def page_answers(model: type[BaseModel], *, pictures: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that sends a page of numbers: 200 in every format.

    ``model``: the JSON document. ``pictures``: the route draws them, too.
    """
    content: dict[str, Any] = {
        media_type.split(";")[0]: {"schema": {"type": "string", "format": "binary"}}
        for name, media_type in MEDIA_TYPES.items()
        if name != "json"
    }
    content["text/csv"] = content["application/x-ndjson"] = {"schema": {"type": "string"}}
    content |= picture_content() if pictures else {}
    return {200: {"model": model, "description": "A page of rows", "content": content}}


def picture_content() -> dict[str, Any]:
    """Return the ``content`` of pictures."""
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in PICTURES.values()}


def answers(model: type[BaseModel], *others: type[BaseModel], pictures: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that sends observations: 200 in every format, 206, 304, and refusals of ranges.

    ``model``: describes the JSON document. ``others``: it may instead be one of these. ``pictures``: the route draws them, too.
    """
    content: dict[str, Any] = {
        media_type.split(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()
    }
    content["text/csv"] = content["application/x-ndjson"] = {"schema": {"type": "string"}}
    schemas = [{"$ref": f"#/components/schemas/{each.__name__}"} for each in (model, *others)]
    content["application/json"] = {"schema": {"anyOf": schemas} if others else schemas[0]}
    files = {name: each for name, each in content.items() if name != "application/json"}
    content |= picture_content() if pictures else {}
    return {
        200: {"description": "The observations", "content": content},
        206: {"description": "A part of a data file, for a request with `Range`", "content": files},
        304: {"description": "Not modified: `If-None-Match` names the current `ETag`"},
        **{status: document for status, document in problems(also=(412, 416)).items() if status in (412, 416)},
    }
