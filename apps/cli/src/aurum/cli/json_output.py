"""JSON of commands: one document on stdout, with the field names of the API where the API returns the same fields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


def print_json(data: object, **members: object) -> None:
    """Print ``{"data": ..., **members}``. Dataclasses become objects, times RFC 3339 in UTC, durations seconds."""
    print(json.dumps({"data": plain(data), **{name: plain(value) for name, value in members.items()}}, indent=2))


def plain(value: object) -> Any:
    """Return a value as JSON types. A type without a JSON form becomes text; NaN and infinity become null."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return str(value)
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo is not None else value).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {str(name): plain(member) for name, member in cast("Mapping[object, object]", value).items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case Sequence() | frozenset() | set():
            return [plain(member) for member in cast("Iterable[object]", value)]
        case _:
            return str(value)


def renamed(value: object, **names: str) -> dict[str, Any]:
    """Return a dataclass as JSON types, with other names for some fields: ``renamed(quality, newest_ts="newest")``."""
    return {names.get(name, name): member for name, member in cast("dict[str, Any]", plain(value)).items()}
