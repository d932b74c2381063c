"""Filters of lists, named as the members of a series they look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from aurum.api.contract.text import Text

SourceFilter = Annotated[Text | None, Query(description="Source; see `/v2/catalog/sources`.", examples=["nyiso"])]
DatasetFilter = Annotated[Text | None, Query(description="Dataset; see `/v2/catalog/datasets`.", examples=["damlbmp_zone"])]
MarketFilter = Annotated[Text | None, Query(description="Market, in any case; see `/v2/catalog/markets`.", examples=["NYISO"])]
MeasureFilter = Annotated[Text | None, Query(description="Measure, such as `lmp` or `load`.", examples=["lmp"])]
LocationFilter = Annotated[
    Text | None, Query(description="Location, by its source's own id; see `/v2/catalog/locations`.", examples=["61761"])
]
SeriesFilter = Annotated[Text | None, Query(description="Series key.", examples=["nyiso:damlbmp_zone:61761:lmp"])]
CalendarFilter = Annotated[Text | None, Query(description="Calendar; see `/v2/catalog/calendars`.", examples=["nyiso"])]
