"""Declares the public files of a dataset: their addresses, what one of them holds, and what its publisher asks of a client.

Nothing here uses a network: ``pipelines.fetch`` requests what these declarations name. An address never holds a key or a token;
``Credential`` says where the fetcher adds it.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Protocol

Address = Callable[[date], str]
"""Returns the address of the file that holds a local day of the dataset."""


class Granularity(StrEnum):
    """The span of time that one public file of a dataset holds."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    HISTORY = "history"
    """Everything that was published; the same address every day."""
    QUERY = "query"
    """The answer to a query over a range of days."""


class Content(StrEnum):
    """The kind of content that a request is answered with. An answer of another kind is refused and not stored."""

    CSV = "csv"
    XML = "xml"
    JSON = "json"
    ZIP = "zip"
    WORKBOOK = "workbook"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key or token that a publisher gives to its users.

    ``name``: as ``aurum sources`` shows it, and for a source outside Aurum its entry in ``AURUM_FETCH__KEYS``. ``setting``: the
    environment variable that holds it. ``header`` or ``parameter``: where a request carries it; one of the two is empty.
    ``where``: the address at which a user requests one.
    """

    name: str
    setting: str
    where: str
    header: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Politeness:
    """How often a host may be requested: ``seconds``, the least time between the starts of two requests.

    ``source``: the publisher's sentence or document that says so.
    """

    host: str
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason for which an answer holds no data.

    ``is_absent``: nothing is published for the days (yet). ``is_passing``: the same request may succeed later.
    """

    reason: str
    is_absent: bool = False
    is_passing: bool = False


class Pages(Protocol):
    """How the parts of a long answer are requested and joined. A part has at least one row, except of an empty answer."""

    def address(self, url: str, rows: int) -> str:
        """Return the address of the part that begins after ``rows`` rows."""
        ...

    def count(self, part: bytes) -> int:
        """Return the number of rows of a part. Raises ``ValueError`` for content without rows."""
        ...

    def total(self, part: bytes) -> int | None:
        """Return the number of rows of the whole answer as a part states it; None where it does not."""
        ...

    def join(self, parts: Sequence[bytes]) -> bytes:
        """Return one file with the rows of all parts in order. Raises ``ValueError`` when they do not fit together."""
        ...

    @property
    def size(self) -> int:
        """The most rows of a part."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One file at its publisher. ``url`` holds no credential.

    ``name``: the name under which it is stored, where the publisher's own does not tell its format; empty: the publisher's.
    ``pages``: how the rest of a long answer is requested; None: an answer is whole. ``listing``: of an answer that only names
    files: returns their requests; it raises ``ValueError`` for any other content.
    """

    url: str
    name: str = ""
    pages: Pages | None = None
    listing: Callable[[bytes], Sequence[Request]] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The local days from ``first`` to ``last`` of one part of a dataset. ``today``: the present local day of the dataset."""

    first: date
    last: date
    part: str
    today: date


@dataclass(frozen=True, slots=True)
class Query:
    """Files that answer a query over days. ``requests``: returns those of one part, usually a single one.

    ``parts``: what one query cannot have together and each has a file of its own, such as the areas of ENTSO-E or the series of
    FRED; the setting ``AURUM_FETCH__PARTS`` replaces them. ``longest_days``: the most days of one query.
    """

    requests: Callable[[Wanted], Sequence[Request]]
    parts: tuple[str, ...] = ("",)
    longest_days: int = 1


def no_problem(content: bytes) -> Problem | None:
    """Return None for every content."""
    del content


@dataclass(frozen=True, slots=True)
class PublicFiles:
    """The public files of one dataset, by what one of them holds. At least one address is set.

    ``month``, ``year``: addresses of the file that holds the month or year of a day; they are asked for its first day. Months
    that are over and wanted whole come from ``month``. ``days_online``: for how many days back a file of a day stays at its
    address; older days come from the month. ``manual``: title and address of the publisher's document that the addresses are
    from. ``content``: None: as the end of the address says. ``problem``: returns why an answer, of which it gets the first
    64 KiB, holds no data. ``keyless``: the public files that are used while the credential of ``needs`` is not set.
    """

    day: Address | None = None
    month: Address | None = None
    year: Address | None = None
    history: str = ""
    query: Query | None = None
    days_online: int | None = None
    manual: str = ""
    needs: Credential | None = None
    content: Content | None = None
    problem: Callable[[bytes], Problem | None] = no_problem
    keyless: PublicFiles | None = None

    @property
    def granularity(self) -> Granularity:
        """The span of the file that is requested for a single day."""
        if self.query is not None:
            return Granularity.QUERY
        if self.day is not None:
            return Granularity.DAY
        if self.month is not None:
            return Granularity.MONTH
        return Granularity.YEAR if self.year is not None else Granularity.HISTORY


@dataclass(frozen=True, slots=True)
class Publication:
    """The requests that bring the local days from ``first`` to ``last``. ``days``: those of them that are wanted, in order."""

    granularity: Granularity
    first: date
    last: date
    requests: tuple[Request, ...]
    days: tuple[date, ...]

    @property
    def span(self) -> str:
        """The days in words, as a folder is named: ``2025-11-02``, ``2025-11``, ``2025``, ``history`` or first and last day."""
        match self.granularity:
            case Granularity.MONTH:
                return f"{self.first:%Y-%m}"
            case Granularity.YEAR:
                return f"{self.first:%Y}"
            case Granularity.HISTORY:
                return "history"
            case Granularity.DAY | Granularity.QUERY:
                return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def publications(
    files: PublicFiles, days: Iterable[date], *, today: date, parts: Sequence[str] | None = None
) -> list[Publication]:
    """Return the fewest publications that hold some local days, oldest first.

    ``today``: the present local day of the dataset; a month is not over before it. ``parts``: those of a query; None: all that
    the dataset declares.

    >>> files = PublicFiles(day="https://example.org/{:%Y%m%d}.csv".format, month="https://example.org/{:%Y%m}.zip".format)
    >>> wanted = [date(2025, 1, 31) + timedelta(days=count) for count in range(30)]
    >>> [one.requests[0].url[20:] for one in publications(files, wanted, today=date(2025, 3, 2))]
    ['20250131.csv', '202502.zip', '20250301.csv']
    """
    wanted = sorted(set(days))
    if not wanted:
        return []
    if files.query is not None:
        return _queries(files.query, wanted, files.query.parts if parts is None else parts, today)
    if files.day is None and files.month is None:
        return _of_years(files.year, wanted) if files.year is not None else [_all_in(files.history, wanted)]
    return _joined(list(_of_months(files, wanted, today)))


def _queries(query: Query, wanted: Sequence[date], parts: Sequence[str], today: date) -> list[Publication]:
    runs: list[list[date]] = [[wanted[0]]]
    for before, day in pairwise(wanted):
        if day - before > timedelta(days=1) or len(runs[-1]) >= query.longest_days:
            runs.append([])
        runs[-1].append(day)
    return [
        Publication(
            Granularity.QUERY,
            run[0],
            run[-1],
            tuple(request for part in parts for request in query.requests(Wanted(run[0], run[-1], part, today))),
            tuple(run),
        )
        for run in runs
    ]


def _all_in(url: str, wanted: Sequence[date]) -> Publication:
    return Publication(Granularity.HISTORY, wanted[0], wanted[-1], (Request(url),), tuple(wanted))


def _of_years(address: Address, wanted: Sequence[date]) -> list[Publication]:
    years = dict.fromkeys(day.year for day in wanted)
    return [
        Publication(
            Granularity.YEAR,
            date(year, 1, 1),
            date(year, 12, 31),
            (Request(address(date(year, 1, 1))),),
            tuple(day for day in wanted if day.year == year),
        )
        for year in years
    ]


def _of_months(files: PublicFiles, wanted: Sequence[date], today: date) -> Iterable[Publication]:
    for start in dict.fromkeys(day.replace(day=1) for day in wanted):
        own = tuple(day for day in wanted if day.replace(day=1) == start)
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        singles = own
        if files.month is not None:
            is_whole = len(own) == end.day and end < today
            oldest = today - timedelta(days=files.days_online) if files.days_online is not None else date.min
            archived = own if files.day is None or is_whole else tuple(day for day in own if day < oldest)
            singles = tuple(day for day in own if day not in archived)
            if archived:
                yield Publication(Granularity.MONTH, start, end, (Request(files.month(start)),), archived)
        if files.day is not None:
            yield from (Publication(Granularity.DAY, day, day, (Request(files.day(day)),), (day,)) for day in singles)


def _joined(parts: Sequence[Publication]) -> list[Publication]:
    """Return publications with those at one address joined: a week's file has the address of each of its days."""
    by_requests: dict[tuple[Request, ...], Publication] = {}
    for part in parts:
        same = by_requests.get(part.requests)
        days = (*same.days, *part.days) if same is not None else part.days
        first = same.first if same is not None else part.first
        by_requests[part.requests] = Publication(part.granularity, first, part.last, part.requests, days)
    return list(by_requests.values())


def single_days(files: PublicFiles, publication: Publication) -> list[Publication]:
    """Return the files of the single days of a month whose archive is not there yet; empty where the dataset has none."""
    if publication.granularity is not Granularity.MONTH or files.day is None:
        return []
    address = files.day
    return [Publication(Granularity.DAY, day, day, (Request(address(day)),), (day,)) for day in publication.days]
