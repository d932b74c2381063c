"""Documents of series."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from aurum.api.contract.schemas import MayHaveSparkline, PageMeta, SeriesDocument
from aurum.core.catalog.entries import IssueEntry


class ListedSeries(MayHaveSparkline, SeriesDocument):
    """A series in a list."""


class SeriesPage(BaseModel):
    """A page of series, ascending by key."""

    data: list[ListedSeries]
    meta: PageMeta


class SeriesFactsDocument(SeriesDocument):
    """A series with the curves that settle against it."""

    settles: list[str] = Field(
        description="Keys of the shared curves that settle against the series, ascending. Your own: `/v2/curves?settles_on=`."
    )


class SeriesAnswer(BaseModel):
    """One series."""

    data: SeriesFactsDocument


class IssueDocument(BaseModel):
    """An issue of a forecast: one publication over many intervals, by one file."""

    known_at: datetime = Field(description="Time from which the issue was known: the value of `issue` that reads it.")
    basis: str = Field(description="Origin of `known_at`, as in `/v2/quality/files`.")
    file_id: int
    file: str = Field(description="Name of the file.")
    start: datetime = Field(description="Start of the first interval in the file.")
    last: datetime = Field(description="Start of the last interval in the file.")
    series: int = Field(description="Number of series in the file.")

    @classmethod
    def from_domain(cls, issue: IssueEntry) -> IssueDocument:
        return cls(
            known_at=issue.known_at,
            basis=issue.basis,
            file_id=issue.file_id,
            file=issue.file_name,
            start=issue.first_ts,
            last=issue.last_ts,
            series=issue.series,
        )


class IssuePage(BaseModel):
    """A page of issues, newest first."""

    data: list[IssueDocument]
    meta: PageMeta


class Mover(BaseModel):
    """A ranked series, which is complete on both days."""

    key: str
    location: str = Field(description="Id of the location at its source.")
    location_name: str
    before: float = Field(description="Mean of the values of the day `against`.")
    after: float = Field(description="Mean of the values of the day `day`.")
    change: float = Field(description="`after` - `before`.")
    relative_change: float | None = Field(description="`change` / |`before`|; null when `before` is 0.")


class IntervalCount(BaseModel):
    """The intervals of a series on one day, within the block."""

    expected: int | None = Field(
        description="Number of intervals of the day; null when the step of the series does not determine it."
    )
    present: int = Field(description="Number of intervals with a value; withdrawn values do not count.")


class IncompleteSeries(BaseModel):
    """A series that is not ranked, because intervals are missing on one of the days."""

    key: str
    before: IntervalCount
    after: IntervalCount


class MoversMeta(BaseModel):
    """The request as the service resolved it, with the number of series."""

    day: date
    against: date = Field(description="Day that `day` is compared with.")
    market: str
    tz: str = Field(description="IANA name of the market's time zone, in which both days are counted.")
    measure: str
    unit: str
    currency: str | None
    block: str | None = Field(description="As `calendar:block`; null for whole days.")
    count: int = Field(description="Number of movers in this response.")
    limit: int = Field(description="Largest number of movers in a response.")
    ranked: int = Field(description="Number of series that are complete on both days.")
    incomplete: int = Field(description="Number of series that are not.")


class MoversAnswer(BaseModel):
    """Movers, the greatest change first, and the series that are not ranked, ascending by key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [
                        {
                            "key": "nyiso:damlbmp_zone:61761:lmp",
                            "location": "61761",
                            "location_name": "N.Y.C.",
                            "before": 40.0,
                            "after": 52.5,
                            "change": 12.5,
                            "relative_change": 0.3125,
                        }
                    ],
                    "incomplete": [
                        {
                            "key": "nyiso:damlbmp_zone:61752:lmp",
                            "before": {"expected": 25, "present": 25},
                            "after": {"expected": 24, "present": 23},
                        }
                    ],
                    "meta": {
                        "day": "2025-11-03",
                        "against": "2025-11-02",
                        "market": "NYISO",
                        "tz": "America/New_York",
                        "measure": "lmp",
                        "unit": "USD/MWh",
                        "currency": "USD",
                        "block": None,
                        "count": 1,
                        "limit": 20,
                        "ranked": 1,
                        "incomplete": 1,
                    },
                }
            ]
        }
    )

    data: list[Mover]
    incomplete: list[IncompleteSeries]
    meta: MoversMeta
