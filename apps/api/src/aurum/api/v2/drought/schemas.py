"""Documents of drought data."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.core.drought import RegionType, Statistics

_CHANGE = "Less the value `weeks` earlier; null where either is missing. Only with `weeks`."


class WeeklyRow(BaseModel):
    """A region and the week of a map."""

    region_type: RegionType
    region: str = Field(
        description="Code of a state, five digits of a county (FIPS), digits of a hydrologic unit, else its name at the "
        "source.",
        examples=["CONUS"],
    )
    region_name: str = Field(examples=["Contiguous United States"])
    state: str = Field(description="Code of the state of a state or county; empty for other regions.")
    day: dt.date = Field(description="Day of the map, a Tuesday.")
    start: dt.datetime = Field(description="Start of the week that begins with `day`, on the publisher's clock.")
    end: dt.datetime = Field(description="End of the week, exclusive.")
    known_at: dt.datetime = Field(description="Time from which the values of this week were known.")
    series: str = Field(description="Key of the series; for shares of area, of the share in D0.")


class IndexRow(WeeklyRow):
    """The index of a region in a week."""

    index: str = Field(examples=["DSCI"])
    value: float | None = Field(description="0: nothing is dry; 500: all of the area is in D4.")
    value_change: float | None = Field(default=None, description=_CHANGE)


class SharesRow(WeeklyRow):
    """Percent of a region's area in each category in a week, and the index made of them."""

    none: float | None = Field(description="Percent of area without drought.")
    d0: float | None = Field(description="Percent of area in D0 (abnormally dry), with `cumulative` or worse.")
    d1: float | None
    d2: float | None
    d3: float | None
    d4: float | None
    dsci: float | None = Field(description="Sum of the cumulative shares D0 to D4, 0 to 500.")
    none_change: float | None = Field(default=None, description=_CHANGE)
    d0_change: float | None = Field(default=None, description=_CHANGE)
    d1_change: float | None = Field(default=None, description=_CHANGE)
    d2_change: float | None = Field(default=None, description=_CHANGE)
    d3_change: float | None = Field(default=None, description=_CHANGE)
    d4_change: float | None = Field(default=None, description=_CHANGE)
    dsci_change: float | None = Field(default=None, description=_CHANGE)


class WeeklyMeta(PageMeta):
    """The page, and the request as the service resolved it."""

    start: dt.datetime | None
    end: dt.datetime | None
    as_of: dt.datetime | None
    weeks: int | None


class IndexPage(BaseModel):
    """A page of the index, ascending by key and week."""

    data: list[IndexRow]
    meta: WeeklyMeta


class SharesMeta(WeeklyMeta):
    """The page, and how the shares are counted."""

    statistics: Statistics


class SharesPage(BaseModel):
    """A page of shares of area, ascending by key and week."""

    data: list[SharesRow]
    meta: SharesMeta


class RegionDocument(BaseModel):
    """A region with drought data."""

    label: str = Field(description="Value of `region` that selects this region alone.", examples=["state:CA"])
    type: RegionType
    id: str
    name: str
    state: str = Field(description="Code of the state of a state or county; empty for other regions.")
    location: str = Field(description="Id at the source, as in the keys of its series.")


class DimensionsMeta(PageMeta):
    """Values of the other parameters of drought data."""

    indices: list[str]
    statistics: list[Statistics]
    weeks: list[int]
    region_types: dict[str, int] = Field(description="Types of regions, each with the number of its regions.")


class DimensionsPage(BaseModel):
    """A page of the regions, the largest first."""

    data: list[RegionDocument]
    meta: DimensionsMeta


class CategoryDocument(BaseModel):
    """A category of drought."""

    name: str = Field(examples=["D0"])
    title: str = Field(examples=["Abnormally dry"])


class IndexDocument(BaseModel):
    """An index of drought."""

    name: str = Field(examples=["DSCI"])
    title: str
    least: float
    most: float
    definition: str


class DroughtDataset(BaseModel):
    """A dataset of the Drought Monitor."""

    name: str
    title: str
    schedule: str = Field(description="Usual publication times in words.")
    reference: str
    newest: dt.datetime | None = Field(description="Start of the newest week; null while there is none.")


class InfoDocument(BaseModel):
    """The publisher, what it measures and when it publishes."""

    source: str
    title: str
    homepage: str
    terms: str = Field(description="Terms of use, with the credit that they ask for.")
    tz: str = Field(description="Time zone of the publisher's days.")
    map_day: str = Field(examples=["Tuesday"])
    categories: list[CategoryDocument]
    indices: list[IndexDocument]
    datasets: list[DroughtDataset]


class InfoAnswer(BaseModel):
    data: InfoDocument
