"""Filters of drought data: regions, days, indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from aurum.api.contract.text import Text
from aurum.api.v1.problems import BadRequest
from aurum.api.v1.times import EndDate, StartDate, span_of_days
from aurum.core.asof import Span
from aurum.core.series.model import Series

DATASET, INDEX = "USDM", "DSCI"


class IndexQuery(BaseModel):
    """The filters that select an index; this service has one."""

    model_config = ConfigDict(frozen=True)

    dataset: Annotated[Text | None, Query(description=f"Dataset; the only one is `{DATASET}`.", examples=[DATASET])] = None
    index: Annotated[Text | None, Query(description=f"Index; the only one is `{INDEX}`.", examples=[INDEX])] = None
    timescale: Annotated[
        Text | None, Query(description=f"Timescale of an index that has several; `{INDEX}` has none.", examples=["1M"])
    ] = None

    def matches(self) -> bool:
        """Return whether this service has the index."""
        is_dataset = self.dataset is None or self.dataset.upper() == DATASET
        return is_dataset and self.timescale is None and (self.index is None or self.index.upper() == INDEX)


class RegionQuery(BaseModel):
    """The filters that select regions, and local days in the time zone of each series."""

    model_config = ConfigDict(frozen=True)

    region: Annotated[Text | None, Query(description="`TYPE:ID`.", examples=["NAME:California"])] = None
    region_type: Annotated[Text | None, Query(description="Kind of region.", examples=["NAME"])] = None
    region_id: Annotated[Text | None, Query(description="Id of a region.", examples=["California"])] = None
    start: StartDate = None
    end: EndDate = None

    def check(self) -> None:
        """Raise ``BadRequest`` if the days are not a span, before anything is read."""
        span_of_days("UTC", self.start, self.end)

    def span_of(self, series: Series) -> Span:
        """Return the span of the days in the time zone of a series. Raises ``BadRequest``."""
        return span_of_days(series.spec.zone, self.start, self.end)

    def location(self) -> str | None:
        """Return the id of the only region to read; None for all. Raises ``BadRequest``."""
        return self._region()[1]

    def matches(self) -> Callable[[Series], bool]:
        """Return a function that says whether a series is of such a region. Raises ``BadRequest``."""
        kind, region_id = self._region()

        def match(series: Series) -> bool:
            is_kind = kind is None or series.spec.location_type.upper() == kind.upper()
            return is_kind and region_id in (None, series.key.location)

        return match

    def _region(self) -> tuple[str | None, str | None]:
        if self.region is None:
            return self.region_type, self.region_id
        kind, _, region_id = self.region.partition(":")
        if not kind or not region_id:
            raise BadRequest("region", "must be TYPE:ID", self.region)
        return kind, region_id
