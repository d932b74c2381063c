"""Documents of the catalog."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.core.catalog.entries import DatasetEntry
from aurum.services.catalog import ListedDataset


class SourceDocument(BaseModel):
    """A publisher of data."""

    name: str
    title: str
    homepage: str = Field(description="Address of the publisher's page; may be empty.")
    terms: str = Field(description="Terms of use; may be empty.")


class SourceList(BaseModel):
    data: list[SourceDocument]


class MeasureDocument(BaseModel):
    """A measure of a dataset, with its unit."""

    name: str
    unit: str
    title: str = ""


class PublicationDocument(BaseModel):
    """A rule for the usual publication time of a dataset, or of some of its series."""

    rule: str = Field(description="The time in words, counted from the interval, its local day or its month.")
    source: str = Field(description="The document or the files that the rule is taken from.")
    evidence: Literal["documented", "observed", "assumed"] = Field(
        description="How well it is founded: a document of the publisher, stamps of its files, or neither."
    )
    measures: list[str] = Field(description="Measures of the series it holds for; empty: all.")
    locations: list[str] = Field(description="Locations of the series it holds for; empty: all.")
    per_issue: bool = Field(description="Whether a file of several days is known as a whole, at the time of its first day.")


class FetchDocument(BaseModel):
    """How the files of a dataset are fetched from its publisher."""

    granularity: Literal["day", "month", "year", "history", "query"] = Field(
        description="What the file for a single day holds: the day, its month, its year, the whole history, or the answer to a"
        " query."
    )
    needs: str | None = Field(description="Name of the key without which nothing is fetched; null: none is needed.")
    state: Literal["proven", "unproven"] = Field(
        description="Whether a file from these addresses has been loaded; `unproven` until the first one has."
    )
    manual: str = Field(description="Title and address of the publisher's document that the addresses are from; may be empty.")


class DatasetDocument(BaseModel):
    """A dataset: one kind of publication of a source."""

    source: str
    name: str
    title: str
    market: str | None = Field(description="Code of the market; null when the dataset belongs to no market.")
    tz: str = Field(description="IANA name of the time zone in which its days are counted.")
    frequency: str = Field(description="Step between observations, such as `1h` or `1d`.")
    measures: list[MeasureDocument]
    reference: str = Field(description="Where the publisher describes the dataset; may be empty.")
    schedule: str = Field(description="When the publisher usually publishes it, in words; may be empty.")
    publication: list[PublicationDocument] = Field(
        description="The rules for its usual publication times; the first that names a series holds for it."
    )
    is_forecast: bool = Field(description="Whether its values are forecasts.")
    freshness_hours: float | None = Field(
        description="Age of the newest observation, in hours, above which the dataset is stale; null: no limit."
    )
    series: int = Field(description="Number of its series.")
    first: datetime | None = Field(description="Start of the first interval of any series; null without observations.")
    last: datetime | None = Field(description="Start of the last interval of any series; null without observations.")
    fetch: FetchDocument | None = Field(description="How it is fetched; null: the publisher has no public files of it.")
    licence: str = Field(description="Terms of use of the publisher; may be empty.")
    homepage: str = Field(description="Address of the publisher's page; may be empty.")

    @classmethod
    def from_domain(cls, one: ListedDataset) -> DatasetDocument:
        entry = one.entry
        return cls(
            source=entry.source,
            name=entry.name,
            title=entry.title,
            market=entry.market,
            tz=entry.zone,
            frequency=entry.frequency,
            measures=[MeasureDocument.model_validate(dict(measure)) for measure in entry.measures],
            reference=entry.reference,
            schedule=entry.schedule,
            publication=[PublicationDocument.model_validate(dict(rule)) for rule in entry.publication],
            is_forecast=entry.is_forecast,
            freshness_hours=entry.freshness_hours,
            series=one.extent.series,
            first=one.extent.first_ts,
            last=one.extent.last_ts,
            fetch=_fetch_document(entry),
            licence=one.publisher.terms,
            homepage=one.publisher.homepage,
        )


def _fetch_document(entry: DatasetEntry) -> FetchDocument | None:
    if entry.fetch is None:
        return None
    return FetchDocument.model_validate({**entry.fetch, "state": "proven" if entry.fetched_at is not None else "unproven"})


class DatasetList(BaseModel):
    data: list[DatasetDocument]


class MarketDocument(BaseModel):
    """The market area of one operator."""

    code: str
    title: str
    tz: str = Field(description="IANA name of its time zone.")
    calendar: str = Field(description="Name of its block calendar.")
    currency: str = Field(description="ISO 4217 code.")


class MarketList(BaseModel):
    data: list[MarketDocument]


class LocationDocument(BaseModel):
    """A node, hub, zone or region, with the names of its source."""

    source: str
    location: str = Field(description="Id of the location at its source.")
    name: str
    type: str = Field(description="Kind of location, such as `ZONE` or `HUB`; may be empty.")
    market: str | None
    tz: str
    series: int = Field(description="Number of its series.")


class LocationPage(BaseModel):
    data: list[LocationDocument]
    meta: PageMeta


class UnitDocument(BaseModel):
    """A unit of values."""

    unit: str = Field(description="Canonical spelling.")
    dimension: str = Field(description="Physical dimension; values convert between units of one dimension.")
    currency: str | None = Field(description="ISO 4217 code; null when the unit has no currency.")
    aliases: list[str] = Field(description="Other accepted spellings.")


class UnitList(BaseModel):
    data: list[UnitDocument]


class BlockDocument(BaseModel):
    """A block: a named set of hours of a calendar."""

    calendar: str
    name: str
    title: str
    aliases: list[str] = Field(description="Other accepted names.")
    tz: str = Field(description="IANA name of the time zone of its days and hours.")
    holidays: str = Field(description="Holiday calendar that its days follow: `nerc` or `none`.")
    complement: bool = Field(description="True: the block has all hours outside of `windows`; false: those within.")
    windows: list[dict[str, list[str] | list[list[int]]]] = Field(
        description="Sets of `days` (`mon` to `sun`, and `holiday`) with `hours`: ranges of hour endings, both ends included."
    )


class BlockList(BaseModel):
    data: list[BlockDocument]


class CalendarDocument(BaseModel):
    """A block calendar."""

    name: str
    tz: str
    holidays: str
    blocks: list[str]


class CalendarList(BaseModel):
    data: list[CalendarDocument]


class BlockHour(BaseModel):
    """One hour of a block."""

    start: datetime
    end: datetime
    day: date = Field(description="Local day.")
    hour_ending: str = Field(description="Hour ending on the local clock, `1` to `24`; it repeats when clocks go back.")


class BlockHours(BaseModel):
    data: list[BlockHour]
    meta: dict[str, str | int]


class Dimensions(BaseModel):
    """The values of each series filter."""

    data: dict[str, dict[str, int]] = Field(description="For each filter, its values with the number of series of each.")
