"""Documents that several features return, as the OpenAPI document describes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.mark_checks import MarkCheck
from aurum.core.series.model import Series
from aurum.services.observations.sparklines import SeriesSparkline


class PageMeta(BaseModel):
    """The page of a list."""

    count: int = Field(description="Number of items in this page.")
    limit: int = Field(description="Largest number of items in a page.")
    next_cursor: str | None = Field(description="Value of `cursor` for the next page; null on the last page.")


class SeriesSparklineDocument(BaseModel):
    """The last observations of a series."""

    first: datetime | None = Field(description="Start of the first of their intervals; null without any.")
    last: datetime | None = Field(description="Start of the last of their intervals; null without any.")
    points: list[float | None] = Field(
        description="Values, ascending by start; null: a withdrawn value.", examples=[[41.2, 39.8, 40.4]]
    )
    svg: str = Field(description="A picture of them, 100 by 24 pixels.")

    @classmethod
    def from_domain(cls, line: SeriesSparkline) -> SeriesSparklineDocument:
        return cls(first=line.first, last=line.last, points=list(line.points), svg=line.svg)


class MayHaveSparkline(BaseModel):
    """A series in a list, with a sparkline where one is requested."""

    sparkline: SeriesSparklineDocument | None = Field(
        default=None, description="Only with `sparkline=true`.", exclude_if=lambda one: one is None
    )

    def with_sparkline(self, line: SeriesSparkline | None) -> Self:
        """Return the document with a sparkline; None: as it is."""
        return self if line is None else self.model_copy(update={"sparkline": SeriesSparklineDocument.from_domain(line)})


class SeriesDocument(BaseModel):
    """A series: one measure at one location, from one dataset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "nyiso:damlbmp_zone:61761:lmp",
                    "source": "nyiso",
                    "dataset": "damlbmp_zone",
                    "market": "NYISO",
                    "location": "61761",
                    "location_name": "N.Y.C.",
                    "location_type": "ZONE",
                    "measure": "lmp",
                    "kind": "price",
                    "market_run": "day_ahead",
                    "fuel": None,
                    "fuel_detail": None,
                    "unit": "USD/MWh",
                    "currency": "USD",
                    "frequency": "1h",
                    "tz": "America/New_York",
                    "labels": {},
                    "business_days": None,
                    "first": "2024-06-01T04:00:00Z",
                    "last": "2025-11-03T04:00:00Z",
                    "version": 2,
                    "updated_at": "2026-11-20T12:00:00Z",
                }
            ]
        }
    )

    key: str = Field(description="`source:dataset:location:measure`.")
    source: str
    dataset: str
    market: str | None = Field(description="Code of the market; null when the series belongs to no market.")
    location: str = Field(description="Id of the location at its source.")
    location_name: str
    location_type: str = Field(description="Kind of location, such as `ZONE` or `HUB`; may be empty.")
    measure: str
    kind: str = Field(description="Kind of quantity, such as `price` or `generation`: the same for every source.")
    market_run: str | None = Field(
        description="Run of the market, such as `day_ahead`, or stage of the numbers, such as `forecast`; null: none applies."
    )
    fuel: str | None = Field(
        description="Group of fuels, the same for every operator, whose own word is the label `fuel_as_published`; null: none."
    )
    fuel_detail: str | None = Field(description="Detail of the fuel, such as `wind_offshore`; null: not told apart.")
    unit: str = Field(description="Unit of the values, such as `USD/MWh`.")
    currency: str | None = Field(description="ISO 4217 code; null when the unit has no currency.")
    frequency: str = Field(description="Step between observations, such as `1h` or `1d`.")
    tz: str = Field(description="IANA name of the market's time zone, in which its days are counted.")
    labels: dict[str, str]
    business_days: str | None = Field(
        description="Calendar of the days on which a daily series is published, such as `TARGET` or `NYMEX`; null: every day."
    )
    first: datetime | None = Field(description="Start of the first interval; null while the series has no observation.")
    last: datetime | None = Field(description="Start of the last interval; null while the series has no observation.")
    version: int = Field(description="Rises whenever an observation of the series changes.")
    updated_at: datetime | None = Field(description="Time of the last change.")

    @classmethod
    def from_domain(cls, series: Series) -> Self:
        spec = series.spec
        return cls(
            key=str(spec.key),
            source=spec.key.source,
            dataset=spec.key.dataset,
            market=spec.market,
            location=spec.key.location,
            location_name=spec.location_name,
            location_type=spec.location_type,
            measure=spec.key.measure,
            kind=spec.kind,
            market_run=spec.market_run,
            fuel=spec.fuel,
            fuel_detail=spec.fuel_detail,
            unit=spec.unit,
            currency=spec.currency,
            frequency=str(spec.frequency),
            tz=spec.zone,
            labels=dict(spec.labels),
            business_days=spec.business_days,
            first=series.first_ts,
            last=series.last_ts,
            version=series.version,
            updated_at=series.updated_at,
        )


class Observation(BaseModel):
    """The value of one interval."""

    start: datetime = Field(description="Start of the interval, inclusive.", examples=["2025-11-02T01:00:00-04:00"])
    end: datetime | None = Field(description="End of the interval, exclusive; null when the series has no fixed step.")
    value: float | None = Field(
        description="Null when the publisher has withdrawn the value, or its coverage is below `min_coverage`.",
        examples=[53.65],
    )
    quality: str = Field(
        description="`good`, `preliminary`, `estimated`, `suspect`, `withdrawn`; `partial`: an aggregate that misses values.",
        examples=["good"],
    )
    known_at: datetime = Field(description="Time from which this value was known.")
    known_at_basis: KnownAtBasis | None = Field(
        default=None,
        description="Who says so: the file or its server (`published`), an operator (`stated`), the publication rule of the "
        "dataset (`scheduled`), or none of them, so that it is the moment the file was taken in (`ingested`). In revisions, "
        "and with `basis=true`.",
    )
    count: int | None = Field(default=None, description="Number of values in an aggregate; missing without `freq`.")
    expected: int | None = Field(
        default=None,
        description="Number of values in a complete aggregate; null when the series has no fixed step; missing without `freq`.",
    )
    coverage: float | None = Field(
        default=None, description="`count` / `expected`; null when the series has no fixed step; missing without `freq`."
    )


class ObservationColumns(BaseModel):
    """Observations as one array per field, all of one length."""

    start: list[datetime]
    end: list[datetime | None]
    value: list[float | None]
    quality: list[str]
    known_at: list[datetime]
    known_at_basis: list[KnownAtBasis] | None = Field(default=None, description="In revisions, and with `basis=true`.")
    count: list[int] | None = Field(default=None, description="Only with `freq`, like the next two.")
    expected: list[int | None] | None = None
    coverage: list[float | None] | None = None


class SeriesInAnswer(BaseModel):
    """A series as its values are returned: unit, currency and step are those after conversion and resampling."""

    key: str
    market: str | None
    unit: str
    currency: str | None
    frequency: str
    tz: str = Field(description="Time zone of its days and longer steps.")
    version: int | None = Field(
        default=None, description="Rises whenever an observation of the series changes; missing with `as_loaded`."
    )
    issue: datetime | None = Field(
        default=None,
        description="Known time of the issue that was read; null: the series has none; missing without `issue`.",
    )


class AnswerMeta(BaseModel):
    """The request as the service resolved it, with its times as instants."""

    count: int = Field(description="Number of rows.")
    tz: str = Field(description="Time zone in which times are written.")
    start: datetime | None = Field(description="Start of the requested span, inclusive; null when it has none.")
    end: datetime | None = Field(description="End of the requested span, exclusive; null when it has none.")
    as_of: datetime | None = Field(description="Instant of the point-in-time read; null: the values known now.")
    as_loaded: datetime | None = Field(
        default=None, description="Instant up to which files are in the answer; missing without `as_loaded`."
    )
    known_from: datetime | None = Field(
        default=None,
        description="Start of the known times of revisions, inclusive; missing without `known_from` and `known_to`.",
    )
    known_to: datetime | None = Field(
        default=None, description="End of the known times of revisions, exclusive; missing without `known_from` and `known_to`."
    )
    freq: str | None = Field(default=None, description="Step after resampling; missing without `freq`.")
    agg: str | None = Field(default=None, description="Aggregation of values within a step; missing without `freq`.")
    min_coverage: float | None = Field(
        default=None, description="Coverage below which an aggregate is withheld; null: none is; missing without `freq`."
    )


class SeriesObservationsMeta(AnswerMeta):
    """The resolved request, and its series."""

    series: SeriesInAnswer


class ManySeriesMeta(AnswerMeta):
    """The resolved request, and its series in the requested order."""

    series: list[SeriesInAnswer]


class SeriesObservations(BaseModel):
    """Observations of one series."""

    data: list[Observation] | ObservationColumns
    meta: SeriesObservationsMeta


class VintagesMeta(SeriesObservationsMeta):
    """The resolved request, its series, and the columns of its rows."""

    vintages: list[datetime] = Field(description="Known times, ascending: the names of the columns with values.")


class Vintages(BaseModel):
    """Rows `start`, `end` and one field for each vintage with the value in force then; null: none, or a withdrawn one."""

    data: list[dict[str, float | str | None]]
    meta: VintagesMeta


class LongObservation(Observation):
    """An observation with the key of its series."""

    series: str = Field(description="Key of the series.")


class ManySeriesObservations(BaseModel):
    """Observations of several series: long rows, wide rows (`start`, `end` and one field per series key), or columns."""

    data: list[LongObservation] | list[dict[str, float | str | None]] | dict[str, list[float | str | None]]
    meta: ManySeriesMeta


class UnitJumpDocument(BaseModel):
    """A series whose values in a file are about `factor` times the stored ones, as after a change of its unit."""

    key: str
    factor: float = Field(description="10, 100, 1000, 0.1, 0.01 or 0.001.")
    median: float = Field(description="Median of the values in the file.")
    stored: float = Field(description="Median of up to 30 points stored beside them.")


class QuoteFlagDocument(BaseModel):
    """A finding about the quotes of a curve that were sent, beside the session before. They are stored as they are."""

    curve: str = Field(examples=["power:DE:base:EEX"])
    check: MarkCheck = Field(
        description="`unit_jump`: a ratio near a power of ten. `stale`: no move while the others moved, or a curve that "
        "repeats the session before."
    )
    trade_date: date = Field(description="Newest trade date of the curve in it, which was compared.")
    delivery_start: date | None = Field(description="First delivery day; null: the curve as a whole.")
    delivery_end: date | None = Field(description="Day after the last delivery day.")
    price: float | None
    before: float | None = Field(description="Price of the session before.")
    ratio: float | None = Field(description="Ratio of the prices; of a curve the median.")
    sessions: int | None = Field(description="Of a stale price: number of sessions without a move.")


class FileDocument(BaseModel):
    """A file that was loaded into the store, or refused."""

    file_id: int
    name: str
    digest: str = Field(description="SHA-256 of the content, hexadecimal.")
    source: str
    dataset: str
    status: str = Field(description="`applied` or `refused`.")
    reason: str = Field(description="Why the file was refused; else empty.")
    known_at: datetime | None = Field(description="Time from which the observations of the file were known.")
    known_at_basis: str = Field(
        description="Who vouches for `known_at`: the file or its server (`published`), an operator (`stated`), the publication "
        "rule of the dataset for every row (`scheduled`, without `known_at`), or the moment of the load (`ingested`)."
    )
    rows_read: int = Field(description="Number of data rows in the file.")
    new: int = Field(description="Number of observations that the store did not have.")
    revised: int = Field(description="Number of observations with another value than before.")
    unchanged: int = Field(description="Number of observations that the store had already.")
    quarantined: int = Field(description="Number of rows or cells held in quarantine.")
    seconds: float = Field(description="Duration of the load.")
    loaded_at: datetime
    suspect_series: int = Field(
        description="Number of series that were loaded with quality `suspect`, because their unit seems to have changed."
    )
    unit_jumps: list[UnitJumpDocument] = Field(description="The first 20 of these series.")
    flagged_curves: int = Field(
        description="Number of curves with findings of the checks of quotes against the session before."
    )
    quote_flags: list[QuoteFlagDocument] = Field(description="The first 20 findings.")


class FilePage(BaseModel):
    data: list[FileDocument]
    meta: PageMeta


class QuarantineDocument(BaseModel):
    """A row, or one cell of a row, that failed a check and is held in quarantine."""

    row_id: int
    file_id: int
    file_name: str
    digest: str = Field(description="SHA-256 of the content of the file, hexadecimal.")
    source: str
    dataset: str
    line: int = Field(description="Number of the line in the file.")
    column: str = Field(description="Column in the file.")
    raw: str = Field(description="The row or cell as the file has it.")
    reason: str = Field(description="Code of the failed check, such as `non_numeric`.")
    detail: str = Field(description="The failed check in words.")
    created_at: datetime
    replayed_at: datetime | None = Field(description="Time of a later load that accepted the file again; null before.")


class QuarantinePage(BaseModel):
    data: list[QuarantineDocument]
    meta: PageMeta
