"""Load, generation by fuel and wind and solar forecasts: ``GL_MarketDocument`` of types A65, A75 and A69.

An area is in ``inBiddingZone_Domain`` when it feeds in and in ``outBiddingZone_Domain`` when it takes out: in A75 the
latter is the consumption of pumps and of plants, a series of its own (``consumption_hydro_pumped_storage_15min``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from aurum.core.catalog.fuels import slug
from aurum.pipelines.fuels import only_words
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.entsoe.codes import FUELS
from aurum.pipelines.sources.entsoe.datasets import (
    GENERATION,
    LOAD,
    LOAD_FORECAST,
    WIND_SOLAR_FORECAST,
    WIND_SOLAR_FORECAST_CURRENT,
    WIND_SOLAR_FORECAST_INTRADAY,
)
from aurum.pipelines.sources.entsoe.market_document import Points, intervals, is_document, only, parsed, read_points

_ROOT = "GL_MarketDocument"
_NUMBER = "quantity"
_ELEMENTS = (_ROOT, "type", "TimeSeries", "Period", "Point", "position", _NUMBER)
_FORECASTS = {"A01": WIND_SOLAR_FORECAST, "A40": WIND_SOLAR_FORECAST_INTRADAY, "A18": WIND_SOLAR_FORECAST_CURRENT}
"""By process: day ahead; intraday, of the morning of the day; the latest update."""
_ATTRIBUTES = {
    "feeds": "inBiddingZone_Domain.mRID",
    "takes": "outBiddingZone_Domain.mRID",
    "per": "quantity_Measure_Unit.name",
    "fuel": "MktPSRType/psrType",
}


def _read(document: SourceFile, datasets: Mapping[str, Dataset]) -> tuple[Points, Dataset, pl.DataFrame]:
    """Return the points, the dataset that the process names, and its intervals in megawatts with ``location``."""
    points = read_points(document, _NUMBER, _ATTRIBUTES)
    dataset = datasets.get(points.process)
    if dataset is None:
        raise RefusedFile(f"process type {points.process!r} is not among {', '.join(datasets)}")
    frame = only(intervals(points, _NUMBER), points.refusals, "per", "quantity_Measure_Unit.name", {"MAW"})
    frame = frame.with_columns(location=pl.coalesce("feeds", "takes"))
    frame = with_ids(frame, "location", points.refusals, header="outBiddingZone_Domain.mRID", rule=dataset.ids)
    return points, dataset, frame.with_columns(unit=pl.lit("MW"), currency=pl.lit(None, dtype=pl.String))


def _by_fuel(frame: pl.DataFrame, refusals: Refusals, kind: pl.Expr) -> pl.DataFrame:
    frame = only_words(frame.rename({"fuel": "psrType"}), "psrType", refusals).rename({"psrType": "fuel"})
    words = {code: FUELS.get(code.upper(), slug(code)) for code in frame["fuel"].unique()}
    word = pl.col("fuel").replace_strict(words, return_dtype=pl.String)
    return frame.with_columns(
        measure=pl.concat_str(kind, word, "step", separator="_"),
        labels=pl.struct(fuel_as_published="fuel", fuel=word, psr_type="fuel").struct.json_encode(),
    )


def _parse_load(document: SourceFile) -> tuple[Parsed, ...]:
    points, dataset, frame = _read(document, {"A16": LOAD, "A01": LOAD_FORECAST})
    frame = frame.with_columns(measure=pl.concat_str(pl.lit(dataset.name), "step", separator="_"), labels=pl.lit("{}"))
    return (parsed(points, dataset, frame),)


def _parse_generation(document: SourceFile) -> tuple[Parsed, ...]:
    points, dataset, frame = _read(document, {"A16": GENERATION})
    kind = pl.when(pl.col("feeds").is_null()).then(pl.lit("consumption")).otherwise(pl.lit("generation"))
    return (parsed(points, dataset, _by_fuel(frame, points.refusals, kind)),)


def _parse_forecast(document: SourceFile) -> tuple[Parsed, ...]:
    points, dataset, frame = _read(document, _FORECASTS)
    return (parsed(points, dataset, _by_fuel(frame, points.refusals, pl.lit("generation_forecast"))),)


def _format(
    name: str, code: str, datasets: tuple[Dataset, ...], parse: Callable[[SourceFile], tuple[Parsed, ...]]
) -> FileFormat:
    return FileFormat(f"ENTSO-E {name} ({code})", datasets, is_document(_ROOT, code), parse, columns=_ELEMENTS)


FORMATS = (
    _format("load", "A65", (LOAD, LOAD_FORECAST), _parse_load),
    _format("generation by fuel", "A75", (GENERATION,), _parse_generation),
    _format("wind and solar forecast", "A69", tuple(_FORECASTS.values()), _parse_forecast),
)
