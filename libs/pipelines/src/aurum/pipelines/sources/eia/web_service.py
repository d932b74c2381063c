"""Queries of EIA's web service, version 2: the hourly grid monitor by UTC day, and series of statistics.

Source: EIA, "API Technical Documentation" (https://www.eia.gov/opendata/documentation.php): routes, ``frequency``, ``data[0]``,
``facets[...][]``, ``start`` and ``end``, ``sort``, ``offset`` and ``length`` (5,000 rows at most), ``api_key``. The routes of
electricity/rto and their facets are those of the API browser (https://www.eia.gov/opendata/browser/electricity/rto). The order
of rows is not stable without ``sort``, so pages are sorted by every facet. Rate: EIA, Open Data FAQs: fewer than about 9,000
requests an hour and 5 a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from urllib.parse import quote

from aurum.core.errors import Invalid
from aurum.pipelines.paging import JsonPages, with_parameters
from aurum.pipelines.public_files import Content, Credential, Politeness, Problem, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.eia.datasets import WEEKLY_STORAGE

HOST = "api.eia.gov"
MANUAL = "EIA, API Technical Documentation, https://www.eia.gov/opendata/documentation.php"

KEY = Credential(
    name="eia", setting="AURUM_FETCH__EIA_KEY", where="https://www.eia.gov/opendata/register.php", parameter="api_key"
)

POLITENESS = (
    Politeness(HOST, 0.4, "EIA, Open Data FAQs: fewer than about 9,000 requests an hour and 5 a second, or keys are suspended"),
)

_PAGES = JsonPages(records=("response", "data"), total_at=("response", "total"), offset="offset", length="length", size=5_000)
_PART = re.compile(r"([a-z0-9/-]+):([A-Za-z-]+)=([A-Za-z0-9_.-]+)")

_ERROR = re.compile(rb'"error"\s*:\s*(?:\{[^{}]*?"message"\s*:\s*)?"((?:[^"\\]|\\.)*)"')


def problem(content: bytes) -> Problem | None:
    """Return the error of an answer without ``response``, which may come with status 200; None for other content."""
    error = _ERROR.search(content) if b'"response"' not in content else None
    return Problem(error[1].decode("utf-8", "replace")) if error else None


def _grid(route: str, *facets: str) -> Callable[[Wanted], Sequence[Request]]:
    """Return the function from UTC days to the request of a route of the grid monitor.

    A period marks the end of an hour, so that those of a day are from 01 of the day to 00 of the next.
    """

    def requests(wanted: Wanted) -> list[Request]:
        start, end = f"{wanted.first}T01", f"{wanted.last + timedelta(days=1)}T00"
        url = f"https://{HOST}/v2/electricity/rto/{route}/data/?frequency=hourly&data[0]=value"
        return [Request(_sorted(url, start, end, facets), name=f"{route}.json", pages=_PAGES)]

    return requests


def _series(frequency: str, first: Callable[[date], str], last: Callable[[date], str]) -> Callable[[Wanted], Sequence[Request]]:
    """Return the function from days and a part, such as ``petroleum/pri/spt:series=RWTC``, to the request of its series."""

    def requests(wanted: Wanted) -> list[Request]:
        part = _PART.fullmatch(wanted.part)
        if part is None:
            raise Invalid(
                f"{wanted.part!r} is not a part of eia:api_{frequency}: a route, a facet and its value, such as "
                "petroleum/pri/spt:series=RWTC"
            )
        route, facet, value = part.groups()
        url = f"https://{HOST}/v2/{route}/data/?frequency={frequency}&data[0]=value&facets[{facet}][]={quote(value)}"
        return [Request(_sorted(url, first(wanted.first), last(wanted.last), ()), name=f"{value}.json", pages=_PAGES)]

    return requests


def _sorted(url: str, start: str, end: str, facets: Sequence[str]) -> str:
    order = {
        f"sort[{place}][{name}]": value
        for place, column in enumerate(("period", *facets))
        for name, value in (("column", column), ("direction", "asc"))
    }
    return with_parameters(url, start=start, end=end, **order)


def _quarter(day: date) -> str:
    return f"{day:%Y}-Q{(day.month + 2) // 3}"


def _files(query: Query) -> PublicFiles:
    return PublicFiles(query=query, manual=MANUAL, needs=KEY, content=Content.JSON, problem=problem)


_SPOT = ("natural-gas/pri/fut:series=RNGWHHD", "petroleum/pri/spt:series=RWTC", "petroleum/pri/spt:series=RBRTE")

FILES: Mapping[str, PublicFiles] = {
    "rto_region": _files(Query(_grid("region-data", "respondent", "type"), longest_days=7)),
    "rto_subregion": _files(Query(_grid("region-sub-ba-data", "parent", "subba"), longest_days=7)),
    "rto_fuel": _files(Query(_grid("fuel-type-data", "respondent", "fueltype"), longest_days=7)),
    "rto_interchange": _files(Query(_grid("interchange-data", "fromba", "toba"), longest_days=7)),
    "api_daily": _files(Query(_series("daily", str, str), parts=_SPOT, longest_days=3660)),
    # A week is named by its end, at most six days after one of its days.
    "api_weekly": _files(
        Query(
            _series("weekly", str, lambda day: str(day + timedelta(days=6))),
            parts=tuple(f"natural-gas/stor/wkly:series={series}" for series in WEEKLY_STORAGE),
            longest_days=3660,
        )
    ),
    "api_monthly": _files(Query(_series("monthly", "{:%Y-%m}".format, "{:%Y-%m}".format), parts=_SPOT, longest_days=36600)),
    "api_quarterly": _files(
        Query(_series("quarterly", _quarter, _quarter), parts=("steo:seriesId=NGHHUUS",), longest_days=36600)
    ),
    "api_annual": _files(Query(_series("annual", "{:%Y}".format, "{:%Y}".format), parts=_SPOT, longest_days=36600)),
}
