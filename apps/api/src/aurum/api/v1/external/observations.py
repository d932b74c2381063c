"""``/v1/external/series/{series_id}/observations``: values of a provider's series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import polars as pl
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from aurum.api.contract.text import Text
from aurum.api.handlers.services import services
from aurum.api.v1.csv import CsvFile, Format
from aurum.api.v1.cursors import Cursors
from aurum.api.v1.envelope import Listed, responses
from aurum.api.v1.external.schemas import ExternalObservation
from aurum.api.v1.pages import Limit
from aurum.api.v1.routing import v1_router
from aurum.api.v1.times import Asof, EndDate, StartDate, end_of_day, span_of_days
from aurum.api.v1.walk import Walk, requested_rows, walk_response
from aurum.core.access import Permission
from aurum.core.series.model import Series
from aurum.services.external import provider_series
from aurum.services.observations import Question, Reading, read_one
from aurum.services.walk import ReadGroup
from aurum.storage.ports.catalog import SeriesFilter

router = v1_router("/v1/external", "v1 external", Permission.SERIES_READ)

_COLUMNS = tuple(field.alias or name for name, field in ExternalObservation.model_fields.items())


@router.get(
    "/series/{series_id:path}/observations",
    operation_id="v1ExternalObservations",
    summary="Values of a provider's series",
    response_class=Response,
    responses=responses(Listed[ExternalObservation], 404, csv=True),
)
async def observations(
    request: Request,
    series_id: Annotated[Text, Path(description="Id of a series.", examples=["ecb:reference_rates:EURUSD:rate"])],
    *,
    asof: Asof = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
    limit: Limit = 500,
    cursors: Annotated[Cursors, Query()],
    format: Format = "json",
) -> Response:
    """Values by period."""
    requested = requested_rows(request, cursors, limit)
    series = await provider_series(services(request).store.catalog.reader, series_id)
    span = span_of_days(series.spec.zone, start_date, end_date)
    key = series.key
    walk = Walk(
        criteria=[SeriesFilter(key.source, key.dataset, None, key.measure, key.location)],
        span_of=lambda _series: span,
        read=_reader(Question(start=span.start, end=span.end, as_of=end_of_day(asof))),
        row=_row,
    )
    csv = CsvFile("observations", _COLUMNS) if format == "csv" else None
    return await walk_response(request, walk, requested, csv=csv)


def _reader(question: Question) -> ReadGroup:
    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        (series,) = group
        answer = await read_one(reading, series, question)
        return answer.frame.select(
            pl.lit(str(series.key)).alias("key"),
            "ts",
            pl.col("ts").dt.convert_time_zone(series.spec.zone).dt.date().alias("day"),
            pl.col("value").fill_nan(None),
            "known_at",
        )

    return read


def _row(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    return {
        "provider": series.key.source,
        "series_id": str(series.key),
        "date": values["day"],
        "period_start": values["ts"],
        "value": values["value"],
        "unit": series.spec.unit,
        "currency": series.spec.currency,
        "known_at": values["known_at"],
    }
