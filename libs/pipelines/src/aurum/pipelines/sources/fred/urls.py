"""Addresses of FRED: the web service, which has vintages and needs a key, and graph downloads, which have neither.

Source: St. Louis Fed, "FRED API, fred/series/observations" (https://fred.stlouisfed.org/docs/api/fred/series_observations.html):
``series_id``, ``observation_start`` and ``_end``, ``realtime_start`` and ``_end``, ``file_type=json``, ``offset`` and ``limit``
(100,000 rows at most). A query of all vintages of the observations asks for the real-time period from the first of them on. One
request has at most 2,000 vintage dates, so that of daily series ends after five years, long after their last revision. Errors:
https://fred.stlouisfed.org/docs/api/fred/errors.html. Rate: 120 requests a minute for each key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from aurum.core.frequency import Frequency
from aurum.pipelines.paging import JsonPages, with_parameters
from aurum.pipelines.public_files import Content, Credential, Politeness, Problem, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.fred.datasets import KNOWN

HOST, GRAPH_HOST = "api.stlouisfed.org", "fred.stlouisfed.org"
MANUAL = "St. Louis Fed, FRED API, fred/series/observations, https://fred.stlouisfed.org/docs/api/fred/series_observations.html"

KEY = Credential(
    name="fred",
    setting="AURUM_FETCH__FRED_KEY",
    where="https://fred.stlouisfed.org/docs/api/api_key.html",
    parameter="api_key",
)

POLITENESS = (
    Politeness(HOST, 0.5, "St. Louis Fed, FRED API: 120 requests a minute for each key, then status 429"),
    Politeness(GRAPH_HOST, 1.0, "No rule is published for graph downloads. Aurum's own choice"),
)

DAILY = ("DHHNGSP", "DCOILWTICO", "DCOILBRENTEU")
"""The daily energy prices of a graph download."""

_PAGES = JsonPages(records=("observations",), total_at=("count",), offset="offset", length="limit", size=100_000)
_FOREVER = "9999-12-31"
_REVISED_WITHIN = timedelta(days=5 * 366)
_MESSAGE = re.compile(rb'"error_message"\s*:\s*"((?:[^"\\]|\\.)*)"')


def problem(content: bytes) -> Problem | None:
    """Return the error of an answer, which may come with status 200; None for other content."""
    message = _MESSAGE.search(content)
    return Problem(message[1].decode("utf-8", "replace")) if message else None


def observations(wanted: Wanted) -> list[Request]:
    """Return the request of one series: all vintages of its observations on some days, and on the first day of their month."""
    facts = KNOWN.get(wanted.part)
    is_daily = facts is not None and facts.frequency is Frequency.DAY
    first = wanted.first if is_daily else wanted.first.replace(day=1)
    until = wanted.last + _REVISED_WITHIN
    url = with_parameters(
        f"https://{HOST}/fred/series/observations",
        series_id=wanted.part,
        file_type="json",
        observation_start=first,
        observation_end=wanted.last,
        realtime_start=first,
        realtime_end=until if is_daily and until < wanted.today else _FOREVER,
    )
    return [Request(url, name=f"{wanted.part}.json", pages=_PAGES)]


def graph(wanted: Wanted) -> list[Request]:
    """Return the request of the CSV of series for some days, their ids separated by commas; it needs no key."""
    url = f"https://{GRAPH_HOST}/graph/fredgraph.csv?id={wanted.part}&cosd={wanted.first}&coed={wanted.last}"
    return [Request(url, name="fredgraph.csv")]


GRAPHS = PublicFiles(
    query=Query(graph, parts=(",".join(DAILY),), longest_days=3660),
    manual="St. Louis Fed, FRED graph downloads, https://fred.stlouisfed.org/graph/",
    content=Content.CSV,
)

FILES: Mapping[str, PublicFiles] = {
    "observations": PublicFiles(
        query=Query(observations, parts=tuple(KNOWN), longest_days=366),
        manual=MANUAL,
        needs=KEY,
        content=Content.JSON,
        problem=problem,
        keyless=GRAPHS,
    )
}
