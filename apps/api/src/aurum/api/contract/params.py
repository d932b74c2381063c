"""Query parameters of the routes that send observations: one definition for the OpenAPI document and for reading them.

These routes read their parameters themselves, because validating a dozen of them through a model costs more than the query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request

from aurum.api.http.problems import InvalidParameters
from aurum.api.pictures import form
from aurum.charts import Theme
from aurum.core.catalog.dimensions import Component, Fuel, Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.names import nearest
from aurum.core.series.resample import Aggregation
from aurum.services.observations import Question
from aurum.storage.ports.catalog import SeriesFilter

FORMATS = ("json", "ndjson", "csv", "arrow", "parquet")
_RESAMPLED = [str(frequency) for frequency in Frequency if frequency is not Frequency.IRREGULAR]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``schema``: the JSON schema of a value. ``repeated``: a query may have several values of it."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: object = None
    required: bool = False
    repeated: bool = False

    def document(self) -> dict[str, Any]:
        """Return the parameter object of OpenAPI 3.1."""
        document: dict[str, Any] = {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.description,
            "schema": dict(self.schema),
        }
        if self.repeated:
            document |= {"schema": {"type": "array", "items": dict(self.schema), "minItems": 1}, "explode": True}
        if self.example is not None:
            document["example"] = self.example
        return document


_TIME = {
    "type": "string",
    "anyOf": [
        {"format": "date-time"},
        {"format": "date"},
        {"pattern": "^(today|yesterday|tomorrow|now|[+-][0-9]{1,6}[dh])$"},
    ],
}

START = Parameter(
    "start",
    "Start of the requested span, inclusive: an RFC 3339 date-time with an offset; a date or local date-time, which is read in "
    "`tz`; or a relative time. `today`, `yesterday`, `tomorrow` and `-7d` are local midnights in `tz`, `-36h` is 36 hours "
    "before now, cut to the minute, and `now` the present. `meta` has the instant. Default: the first observation.",
    _TIME,
    "2025-11-02",
)
END = Parameter(
    "end",
    "End of the requested span, exclusive, in the formats of `start`. Default: after the last observation.",
    _TIME,
    "2025-11-03",
)
AS_OF = Parameter(
    "as_of",
    "Point in time: each observation has the value that was known at this instant, that instant included. Formats of `start`. "
    "Default: the values known now.",
    _TIME,
    "2026-11-20T00:00:00Z",
)
AS_LOADED = Parameter(
    "as_loaded",
    "Read the store with the files committed up to this instant, whatever was loaded or restated since; the answer never "
    "changes. Formats of `start`; not in the future. Default: the store as it is now.",
    _TIME,
    "2026-11-28T00:00:00Z",
)
ISSUE = Parameter(
    "issue",
    "One issue of a forecast: `latest`, `first`, or its known time exactly as `/v2/series/{key}/issues` lists it. Only the "
    "intervals that the issue states. With `as_of`, among the issues known then. Default: no particular issue.",
    example="latest",
)
DAYS_AHEAD = Parameter(
    "days_ahead",
    "For each interval of a forecast the value known before the local day that is `days_ahead` - 1 days before its own begins: "
    "1 is known before the delivery day begins. With `before`, known by that time. With `as_of`, what was not known then does "
    "not count. Days follow `tz`, else the market's time zone. Not with `issue` or `hours_ahead`.",
    {"type": "integer", "minimum": 1, "maximum": 3660},
    1,
)
BEFORE = Parameter(
    "before",
    "Local time `HH:MM`, inclusive, on the day `days_ahead` days before that of the interval; needs `days_ahead`. A time that "
    "clocks skip means the next that exists, a repeated one the first. Default: before the day begins, as `days_ahead` says.",
    {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "10:00",
)
HOURS_AHEAD = Parameter(
    "hours_ahead",
    "For each interval of a forecast the value known at least this many hours, above 0, before it begins; fractions are "
    "allowed. With `as_of`, what was not known then does not count. Not with `issue` or `days_ahead`.",
    {"type": "number", "exclusiveMinimum": 0, "maximum": 87840},
    6,
)
KNOWN_FROM = Parameter(
    "known_from",
    "Only versions that became known at this instant or later, in the formats of `start`. Default: from the first version.",
    _TIME,
    "2025-11-01",
)
KNOWN_TO = Parameter(
    "known_to",
    "Only versions that became known before this instant, in the formats of `start`. Default: up to the last version.",
    _TIME,
    "2025-12-01",
)
TZ = Parameter(
    "tz",
    "Time zone in which local times are read and times are written: `UTC`, `market` (that of the market) or an IANA name. "
    "With `freq` or `days_ahead`, days and longer steps follow it. Default: times in UTC, days and longer steps in the "
    "market's time zone.",
    example="market",
)
REVISIONS_TZ = Parameter(
    "tz",
    "Time zone in which local times are read and times are written: `UTC` (default), `market` (that of the market) or an IANA "
    "name.",
    example="market",
)
FREQ = Parameter(
    "freq",
    "Resample to this step in local time. A row stands for a whole step and is returned when it starts within the requested "
    "span. It has in addition `count`, its number of values, `expected`, the number of values of a complete row, and "
    "`coverage`, their ratio; quality `partial` marks a row that misses a value. Default: the series' own step.",
    {"type": "string", "enum": _RESAMPLED},
)
AGG = Parameter(
    "agg",
    "How the values within a step of `freq` are aggregated; needs `freq`. Default: `mean`.",
    {"type": "string", "enum": list(Aggregation)},
)
BLOCK = Parameter(
    "block",
    "Only the hours of this block: a name of the market's calendar, or `calendar:block`; see `/v2/catalog/blocks`. Without "
    "`freq` the rows are the series' own and nothing is aggregated. "
    "Default: all hours.",
    example="ON_PEAK",
)
MIN_COVERAGE = Parameter(
    "min_coverage",
    "Share of its steps, from 0 to 1, that a row of `freq` must have: below it the row has no value, quality `partial` and its "
    "counts. Needs `freq` or `block`; without `freq` nothing is aggregated and it has no effect. Default: every row has its "
    "value, and those that miss a step have quality `partial`.",
    {"type": "number", "minimum": 0, "maximum": 1},
    1,
)
UNIT = Parameter(
    "unit",
    "Convert values to this unit; see `/v2/catalog/units`. Default: the series' own unit.",
    example="USD/MMBtu",
)
CURRENCY = Parameter(
    "currency",
    "Convert monetary values to this currency (ISO 4217 code), at the ECB's reference rate of each day as known at `as_of`. "
    "Default: the series' own currency.",
    example="EUR",
)
FORMAT = Parameter(
    "format",
    "Format of the response; takes precedence over the `Accept` header. Default: by `Accept`, else `json`.",
    {"type": "string", "enum": list(FORMATS), "default": "json"},
)
FORMAT_OR_PICTURE = Parameter(
    "format",
    "Format of the response; takes precedence over the `Accept` header. `svg` and `png` draw the observations. Default: by "
    "`Accept`, else `json`.",
    {"type": "string", "enum": [*FORMATS, "svg", "png"], "default": "json"},
)
PICTURE = (
    Parameter("width", form.WIDTH_TEXT, {"type": "integer", "minimum": form.NARROWEST, "maximum": form.WIDEST}, 1200),
    Parameter("height", form.HEIGHT_TEXT, {"type": "integer", "minimum": form.LOWEST, "maximum": form.TALLEST}, 675),
    Parameter("theme", form.THEME_TEXT, {"type": "string", "enum": list(Theme)}, "light"),
)
"""Parameters of a picture."""
LAYOUT = Parameter(
    "layout",
    "Layout of a JSON document: `rows` is one object per observation, `columns` one array per field. Default: `rows`.",
    {"type": "string", "enum": ["rows", "columns"], "default": "rows"},
)
REVISIONS_LAYOUT = Parameter(
    "layout",
    "`rows` is one object per version, `columns` one array per field of a JSON document. `vintages`, in any format, is one row "
    "per interval and, for each known time, one column named after it with the values in force then. Default: `rows`.",
    {"type": "string", "enum": ["rows", "columns", "vintages"], "default": "rows"},
)
MANY_LAYOUT = Parameter(
    "layout",
    "Layout of the response: `long` is one row per observation with the key in `series`, `wide` one column per series with "
    "values only, `columns` is `long` as one JSON array per field. Default: `long`.",
    {"type": "string", "enum": ["long", "wide", "columns"], "default": "long"},
)
SERIES_PARAMETER = Parameter(
    "series",
    "Keys of the requested series: repeat the parameter for each key, or separate keys with commas. In a key `*` stands for "
    "any text, so that it names all series that match. The request needs this parameter or a filter such as `source`.",
    example=["nyiso:damlbmp_zone:61761:lmp", "nyiso:damlbmp_zone:61752:lmp"],
    repeated=True,
)
FILTERS = (
    Parameter("source", "Only series of this source, by its name in `/v2/catalog/sources`.", example="nyiso"),
    Parameter("dataset", "Only series of this dataset, by its name in `/v2/catalog/datasets`.", example="damlbmp_zone"),
    Parameter("market", "Only series of this market, by its code in `/v2/catalog/markets`, in any case.", example="NYISO"),
    Parameter("location", "Only series at this location, by its source's own id.", example="61761"),
    Parameter("measure", "Only series of this measure, such as `lmp` or `load`.", example="lmp"),
    Parameter(
        "kind",
        "Only series of this kind of quantity, the same for every source.",
        {"type": "string", "enum": list(Kind)},
        "generation",
    ),
    Parameter(
        "market_run",
        "Only series of this run of a market, or of this stage of a number (`forecast`, `settlement`).",
        {"type": "string", "enum": list(MarketRun)},
        "day_ahead",
    ),
    Parameter(
        "fuel",
        "Only series of this group of fuels, whatever word the operator has for it.",
        {"type": "string", "enum": list(Fuel)},
        "wind",
    ),
    Parameter(
        "component",
        "Only prices of energy with this component: `total` is the price itself, whatever its measure is called.",
        {"type": "string", "enum": list(Component)},
        "total",
    ),
    Parameter(
        "location_type", "Only series at locations of this type, in any case; see `/v2/catalog/dimensions`.", example="hub"
    ),
)
"""Filters that choose series; several are combined with AND, also with ``series``."""
COLUMNS = Parameter(
    "columns",
    "Only these columns, in this order, separated by commas: `series` (of several series), `start`, `end`, `value`, `quality`, "
    "`known_at`, `known_at_basis` (with `basis`), and `count`, `expected`, `coverage` (with `freq`). Not with the layout "
    "`wide`. Default: all.",
    example="start,value",
)
LIMIT = Parameter(
    "limit",
    "Most rows of each series: the first ones, or with `order=desc` the last ones. Default: all rows.",
    {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    24,
)
ORDER = Parameter(
    "order",
    "`asc`: each series ascends by `start`; `desc`: it descends. Default: `asc`.",
    {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
    "desc",
)

_LOST_PLUS = re.compile(r"([Tt][0-9:.]+) ([0-9]{2}:[0-9]{2})")
_LOST_DISTANCE = re.compile(r" [0-9]{1,6}[dh]", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{0,20})?([eE]-?\d{1,2})?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)
_REMEMBERED_BYTES = 512
"""Longest query string that is remembered: longer ones are seldom repeated, and a thousand of them take much memory."""

KEY: Mapping[str, Any] = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "Key of the series, `source:dataset:location:measure`; percent-encode spaces (slashes need not be).",
    "schema": {"type": "string"},
    "example": "nyiso:damlbmp_zone:61761:lmp",
}

_READ = (START, END, AS_OF, AS_LOADED, ISSUE, DAYS_AHEAD, BEFORE, HOURS_AHEAD)
_SOME_ROWS = (LIMIT, ORDER)
_VALUES = (TZ, FREQ, AGG, BLOCK, MIN_COVERAGE, UNIT, CURRENCY)
_FORM = (*_VALUES, FORMAT)

BASIS = Parameter(
    "basis",
    "Adds the column `known_at_basis`: who says since when a value has been known. Default: false.",
    {"type": "string", "enum": ["true", "false"]},
    "true",
)
ONE_SERIES = (*_READ, *_SOME_ROWS, *_VALUES, FORMAT_OR_PICTURE, *PICTURE, LAYOUT, COLUMNS, BASIS)
"""Parameters of the observations of one series."""
ONE_LATEST = (*_READ, *_FORM, LAYOUT, COLUMNS)
"""Parameters of the latest observation of one series."""
MANY_SERIES = (SERIES_PARAMETER, *FILTERS, *_READ, *_SOME_ROWS, *_FORM, MANY_LAYOUT, COLUMNS)
"""Parameters of the observations of several series."""
MANY_LATEST = (SERIES_PARAMETER, *FILTERS, *_READ, *_FORM, MANY_LAYOUT, COLUMNS)
"""Parameters of the latest observations of several series."""
REVISIONS = (START, END, AS_LOADED, KNOWN_FROM, KNOWN_TO, REVISIONS_TZ, FORMAT, REVISIONS_LAYOUT)
"""Parameters of the revisions of one series."""


def documented(parameters: Iterable[Parameter], *path: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``openapi_extra=`` of a route that reads its parameters itself. ``path``: the parameters in its path."""
    return {"parameters": [*map(dict, path), *(parameter.document() for parameter in parameters)]}


def read(query: QueryParams, allowed: Sequence[Parameter]) -> dict[str, str]:
    """Return the single-valued parameters of a query by name. Raises ``InvalidParameters``.

    Names, repetitions and values of closed sets are checked.
    """
    by_name = {parameter.name: parameter for parameter in allowed}
    arguments: dict[str, str] = {}
    for name, value in query.multi_items():
        parameter = by_name.get(name)
        if parameter is None:
            raise _unknown(name, value, by_name)
        if "\0" in value:
            raise InvalidParameters((name, "contains a NUL character, which is not allowed", value))
        if parameter.repeated:
            continue
        if name in arguments:
            raise InvalidParameters((name, "occurs more than once: send it once", value))
        choices = parameter.schema.get("enum")
        if choices and value not in choices:
            close = nearest(value, choices) or tuple(choices)
            raise InvalidParameters((name, f"must be one of {', '.join(choices)}", value), nearest=list(close))
        if not value:
            raise InvalidParameters((name, "is empty: send a value, or leave the parameter out", value))
        arguments[name] = value
    missing = [parameter for parameter in allowed if parameter.required and parameter.name not in query]
    if missing:
        raise InvalidParameters(*((parameter.name, "is missing: the request needs it", None) for parameter in missing))
    return arguments


def question_of(arguments: Mapping[str, str]) -> Question:
    """Return the question that parameters state, as ``read`` returns them."""
    freq, agg, tz = arguments.get("freq"), arguments.get("agg"), arguments.get("tz")
    return Question(
        start=_with_plus(arguments.get("start")),
        end=_with_plus(arguments.get("end")),
        as_of=_with_plus(arguments.get("as_of")),
        as_loaded=_with_plus(arguments.get("as_loaded")),
        # An unescaped plus sign arrives as a blank. No name of a time zone has a blank, and Etc/GMT+5 has a plus sign.
        tz=tz.replace("GMT ", "GMT+") if tz is not None else None,
        freq=Frequency(freq) if freq is not None else None,
        agg=Aggregation(agg) if agg is not None else None,
        block=arguments.get("block"),
        unit=arguments.get("unit"),
        currency=arguments.get("currency"),
        min_coverage=_number("min_coverage", arguments, "a number from 0 to 1, such as 0.95"),
        issue=_with_plus(arguments.get("issue")),
        days_ahead=_whole_number("days_ahead", arguments, "a whole number of days, such as 1"),
        before=arguments.get("before"),
        hours_ahead=_number("hours_ahead", arguments, "a number of hours above 0, such as 6 or 0.5"),
        limit=_whole_number("limit", arguments, "a whole number of rows, such as 24", most=1_000_000),
        newest_first=arguments.get("order") == "desc",
    )


def picture_of(arguments: Mapping[str, str]) -> form.PictureForm:
    """Return the form of a picture that parameters choose, as ``read`` returns them. Raises ``InvalidParameters``."""
    width = _pixels("width", arguments, form.NARROWEST, form.WIDEST)
    height = _pixels("height", arguments, form.LOWEST, form.TALLEST)
    theme = arguments.get("theme")
    return form.picture_form(width, height, Theme(theme) if theme is not None else None)


def at_present(question: Question, now: datetime) -> Question:
    """Return a question whose relative times are counted from ``now``, an aware instant."""
    return replace(question, now=now) if question.relative else question


def latest_of(question: Question) -> Question:
    """Return the question for the last row of each series."""
    return replace(question, limit=1, newest_first=True)


def series_filter_of(arguments: Mapping[str, str]) -> SeriesFilter:
    """Return the filters of parameters, as ``read`` returns them."""
    market, kind, run, fuel, component = (arguments.get(name) for name in ("market", "kind", "market_run", "fuel", "component"))
    return SeriesFilter(
        source=arguments.get("source"),
        dataset=arguments.get("dataset"),
        market=market.upper() if market is not None else None,
        location=arguments.get("location"),
        measure=arguments.get("measure"),
        kind=Kind(kind) if kind is not None else None,
        market_run=MarketRun(run) if run is not None else None,
        fuel=Fuel(fuel) if fuel is not None else None,
        location_type=arguments.get("location_type"),
        component=Component(component) if component is not None else None,
    )


def _number(name: str, arguments: Mapping[str, str], accepted: str) -> float | None:
    text = arguments.get(name)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise InvalidParameters((name, f"must be {accepted}", text))
    return float(text)


def _whole_number(name: str, arguments: Mapping[str, str], accepted: str, *, most: int | None = None) -> int | None:
    text = arguments.get(name)
    if text is None:
        return None
    if _WHOLE_NUMBER.fullmatch(text) is None:
        raise InvalidParameters((name, f"must be {accepted}", text))
    if most is not None and int(text) > most:
        raise InvalidParameters((name, f"must be at most {most:,}", text))
    return int(text)


def _pixels(name: str, arguments: Mapping[str, str], least: int, most: int) -> int | None:
    accepted = f"a whole number of pixels from {least} to {most:,}"
    number = _whole_number(name, arguments, accepted)
    if number is not None and not least <= number <= most:
        raise InvalidParameters((name, f"must be {accepted}", arguments[name]))
    return number


def known_bounds(arguments: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return ``known_from`` and ``known_to`` of parameters, as ``read`` returns them."""
    return _with_plus(arguments.get("known_from")), _with_plus(arguments.get("known_to"))


def _with_plus(time: str | None) -> str | None:
    """Return a time with the plus sign of its offset or distance, which arrives as a blank when it was not escaped."""
    if time is None:
        return None
    return f"+{time[1:]}" if _LOST_DISTANCE.fullmatch(time) else _LOST_PLUS.sub(r"\1+\2", time)


def series_query(text: bytes) -> tuple[QueryParams, Mapping[str, str], Question]:
    """Return a query string about one series parsed, its parameters as ``read`` returns them, and their question.

    Dashboards and notebooks request many series over one span: the same text is parsed once. Raises ``InvalidParameters``.
    """
    return _remembered_query(text) if len(text) <= _REMEMBERED_BYTES else _parsed_query(text)


def _parsed_query(text: bytes) -> tuple[QueryParams, Mapping[str, str], Question]:
    query = QueryParams(text)
    arguments = read(query, ONE_SERIES)
    return query, MappingProxyType(arguments), question_of(arguments)


_remembered_query = lru_cache(maxsize=1024)(_parsed_query)


async def no_trailing_slash(request: Request) -> None:
    """Refuse a path that ends with a slash, as other paths are: no key ends with one, but a path parameter takes it.

    Raises ``HTTPException`` with status 404.
    """
    if request.url.path.endswith("/"):
        raise HTTPException(404)


async def known_only(request: Request) -> None:
    """Refuse unknown, repeated and missing parameters: a misspelt filter must not return an unfiltered list.

    For routes whose parameters FastAPI reads: ``dependencies=[Depends(known_only)]``. Raises ``InvalidParameters``.
    """
    route: APIRoute = request.scope["route"]
    parameters = dict(_query_parameters(route.dependant))
    names = list(parameters)
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise _unknown(name, value, names)
        if name in seen:
            raise InvalidParameters((name, "occurs more than once: send it once", value))
        seen.add(name)
    missing = {name: info for name, info in parameters.items() if info.is_required() and name not in seen}
    if missing:
        raise InvalidParameters(
            *((name, f"is missing. {info.description or ''}".strip(), None) for name, info in missing.items())
        )


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the query parameters of a route, and of what it depends on, by name."""
    for parameter in dependant.query_params:
        yield parameter.alias, parameter.field_info
    for one in dependant.dependencies:
        yield from _query_parameters(one)


def _unknown(name: str, value: str, known: Iterable[str]) -> InvalidParameters:
    close = nearest(name, known) or tuple(known)
    hint = f"; nearest: {', '.join(close)}" if close else ""
    return InvalidParameters((name, f"is not a parameter of this operation{hint}", value), nearest=list(close))
