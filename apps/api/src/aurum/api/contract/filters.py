"""Filters of lists, named like the fields of a series that they compare. Without a filter, all items are listed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from aurum.api.contract.text import Text

SourceFilter = Annotated[
    Text | None, Query(description="Only items of this source, by its name in `/v2/catalog/sources`.", examples=["nyiso"])
]
DatasetFilter = Annotated[
    Text | None,
    Query(description="Only items of this dataset, by its name in `/v2/catalog/datasets`.", examples=["damlbmp_zone"]),
]
MarketFilter = Annotated[
    Text | None,
    Query(
        description="Only items of this market, by its code in `/v2/catalog/markets`, in upper or lower case.",
        examples=["NYISO"],
    ),
]
MeasureFilter = Annotated[
    Text | None, Query(description="Only series of this measure, such as `lmp` or `load`.", examples=["lmp"])
]
LocationFilter = Annotated[
    Text | None,
    Query(description="Only series at this location, by its source's own id; see `/v2/catalog/locations`.", examples=["61761"]),
]
SeriesFilter = Annotated[
    Text | None, Query(description="Only this series, by its key.", examples=["nyiso:damlbmp_zone:61761:lmp"])
]
CalendarFilter = Annotated[
    Text | None, Query(description="Only blocks of this calendar, by its name in `/v2/catalog/calendars`.", examples=["nyiso"])
]
