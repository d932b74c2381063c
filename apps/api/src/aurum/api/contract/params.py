"""Query parameters, said once: how they are described in openapi.json and how they are read.

The routes that answer with observations read their own parameters, because validating a dozen of them through a model costs
more than the query; what is described here is what they accept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.requests import Request

from aurum.api.http.problems import InvalidParameters
from aurum.core.frequency import Frequency
from aurum.core.names import nearest
from aurum.core.series.resample import Aggregation
from aurum.services.observations import Question

FORMATS = ("json", "ndjson", "csv", "arrow", "parquet")
_RESAMPLED = [str(frequency) for frequency in Frequency if frequency is not Frequency.IRREGULAR]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``schema``: its JSON schema. ``repeated``: it may be given several times."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: object = None
    required: bool = False
    repeated: bool = False

    def document(self) -> dict[str, Any]:
        """The parameter object of OpenAPI 3.1."""
        found: dict[str, Any] = {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.description,
            "schema": dict(self.schema),
        }
        if self.repeated:
            found |= {"schema": {"type": "array", "items": dict(self.schema), "minItems": 1}, "explode": True}
        if self.example is not None:
            found["example"] = self.example
        return found


_TIME = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}

START = Parameter(
    "start", "From this instant on: RFC 3339, or a date or bare local date-time read in `tz`.", _TIME, "2025-11-02"
)
END = Parameter("end", "Up to, not including, this instant; as `start`.", _TIME, "2025-11-03")
AS_OF = Parameter(
    "as_of", "As it was known then, that instant included; as `start`. Without it: as known now.", _TIME, "2026-11-20T00:00:00Z"
)
TZ = Parameter(
    "tz",
    "Clock in which local times are read and times are written: `UTC` (default), `market` (the series' own) or an IANA name. "
    "With `freq`, buckets follow it; without it, buckets follow the market's clock.",
    example="market",
)
FREQ = Parameter(
    "freq",
    "Resample to this step, in local time. A row stands for its whole step and is in the answer when it starts in the span.",
    {"type": "string", "enum": _RESAMPLED},
)
AGG = Parameter(
    "agg",
    "How the values of a bucket become one; only with `freq`, where it is `mean` unless said otherwise.",
    {"type": "string", "enum": list(Aggregation)},
)
BLOCK = Parameter(
    "block",
    "Only hours of this block of the market's calendar, or of `calendar:block`; see `/v2/catalog/blocks`.",
    example="ON_PEAK",
)
UNIT = Parameter("unit", "Convert values to this unit; see `/v2/catalog/units`.", example="USD/MMBtu")
CURRENCY = Parameter(
    "currency", "Convert money to this currency, at the ECB's rate of each day, as known at `as_of`.", example="EUR"
)
FORMAT = Parameter("format", "Wins over the `Accept` header.", {"type": "string", "enum": list(FORMATS), "default": "json"})
LAYOUT = Parameter(
    "layout",
    "Of JSON: an object a row, or an array a column.",
    {"type": "string", "enum": ["rows", "columns"], "default": "rows"},
)
MANY_LAYOUT = Parameter(
    "layout",
    "`long`: a row an observation, `series` first. `wide`: a column a series. `columns`: long, in JSON as an array a column.",
    {"type": "string", "enum": ["long", "wide", "columns"], "default": "long"},
)
SERIES_PARAMETER = Parameter(
    "series",
    "Series keys; give the parameter once a key, or keys with commas between.",
    example=["nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"],
    required=True,
    repeated=True,
)

_REMEMBERED_BYTES = 512
"""Longer queries are seldom asked twice, and a thousand of them would be a burden."""

KEY: Mapping[str, Any] = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "Series key; slashes and blanks in it may be escaped.",
    "schema": {"type": "string"},
    "example": "nyiso:damlbmp_zone:61761:lmp",
}

SLICE = (START, END, AS_OF, TZ, FREQ, AGG, BLOCK, UNIT, CURRENCY, FORMAT, LAYOUT)
MANY = (SERIES_PARAMETER, START, END, AS_OF, TZ, FREQ, AGG, BLOCK, UNIT, CURRENCY, FORMAT, MANY_LAYOUT)
HISTORY = (START, END, TZ, FORMAT, LAYOUT)


def documented(parameters: Iterable[Parameter], *path: Mapping[str, Any]) -> dict[str, Any]:
    """The ``openapi_extra=`` of a route that reads these parameters itself, after those of its path."""
    return {"parameters": [*map(dict, path), *(parameter.document() for parameter in parameters)]}


def read(given: QueryParams, allowed: Sequence[Parameter]) -> dict[str, str]:
    """The single-valued parameters, checked for their names, repetition and closed sets. Raises ``InvalidParameters``."""
    by_name = {parameter.name: parameter for parameter in allowed}
    found: dict[str, str] = {}
    for name, value in given.multi_items():
        parameter = by_name.get(name)
        if parameter is None:
            raise _unknown(name, value, by_name)
        if "\0" in value:
            raise InvalidParameters((name, "holds a NUL character", value))
        if parameter.repeated:
            continue
        if name in found:
            raise InvalidParameters((name, "is given twice", value))
        choices = parameter.schema.get("enum")
        if choices and value not in choices:
            close = nearest(value, choices) or tuple(choices)
            raise InvalidParameters((name, f"must be one of {', '.join(choices)}", value), nearest=list(close))
        if not value:
            raise InvalidParameters((name, "is empty", value))
        found[name] = value
    missing = [parameter for parameter in allowed if parameter.required and parameter.name not in given]
    if missing:
        raise InvalidParameters(*((parameter.name, "is needed", None) for parameter in missing))
    return found


def question_of(given: Mapping[str, str]) -> Question:
    """The question that parameters ask, as ``read`` gives them."""
    freq, agg, tz = given.get("freq"), given.get("agg"), given.get("tz")
    return Question(
        start=_unescaped(given.get("start")),
        end=_unescaped(given.get("end")),
        as_of=_unescaped(given.get("as_of")),
        # No name of a time zone holds a blank, but Etc/GMT+5 holds a plus sign.
        tz=tz.replace("GMT ", "GMT+") if tz is not None else None,
        freq=Frequency(freq) if freq is not None else None,
        agg=Aggregation(agg) if agg is not None else None,
        block=given.get("block"),
        unit=given.get("unit"),
        currency=given.get("currency"),
    )


def _unescaped(time: str | None) -> str | None:
    """A time whose plus sign was not escaped and so arrived as a blank: no valid time holds a blank but there."""
    return time.replace(" ", "+") if time is not None and time.count(" ") == 1 else time


def slice_query(text: bytes) -> tuple[QueryParams, Mapping[str, str], Question]:
    """A query string about one series, its parameters as ``read`` gives them, and their question.

    Raises ``InvalidParameters``.

    Boards and notebooks ask for many series over one span: the same text is read once.
    """
    return _slice_query(text) if len(text) <= _REMEMBERED_BYTES else _read_slice(text)


def _read_slice(text: bytes) -> tuple[QueryParams, Mapping[str, str], Question]:
    query = QueryParams(text)
    given = read(query, SLICE)
    return query, MappingProxyType(given), question_of(given)


_slice_query = lru_cache(maxsize=1024)(_read_slice)


async def known_only(request: Request) -> None:
    """Refuse parameters that a route does not take, or not twice: a misspelt filter must not give an unfiltered list.

    For routes whose parameters FastAPI reads: ``dependencies=[Depends(known_only)]``. Raises ``InvalidParameters``.
    """
    route: APIRoute = request.scope["route"]
    names = [parameter.alias for parameter in route.dependant.query_params]
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise _unknown(name, value, names)
        if name in seen:
            raise InvalidParameters((name, "is given twice", value))
        seen.add(name)


def _unknown(name: str, value: str, known: Iterable[str]) -> InvalidParameters:
    close = nearest(name, known) or tuple(known)
    hint = f"; nearest: {', '.join(close)}" if close else ""
    return InvalidParameters((name, f"there is no such parameter{hint}", value), nearest=list(close))
