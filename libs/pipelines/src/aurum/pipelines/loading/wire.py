"""Prepared files as messages: frames as Arrow IPC streams, all else as JSON. Nothing that a child sends is executed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl
from pydantic import ConfigDict, TypeAdapter, with_config

from aurum.core.catalog.validations import ValidationResult
from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES, PARSED_QUOTES
from aurum.core.frames import FILE_ROWS, PARSED, REFUSED, SERIES, conform
from aurum.pipelines.isolation import Message
from aurum.pipelines.loading.prepare import Prepared
from aurum.pipelines.loading.rows import DatasetRows
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad, FileRecord, Part
from aurum.storage.ports.observations import RuleDated, SeriesRows


@dataclass(frozen=True, slots=True)
class _PlainSeries:
    """The fields of ``SeriesRows`` that are not frames."""

    rule: RuleDated | None
    is_forecast: bool
    issue_at: datetime | None
    kind: Literal["series"] = "series"


@dataclass(frozen=True, slots=True)
class _PlainQuotes:
    """The fields of ``CurveQuotes`` that are not frames."""

    source: str
    dataset: str
    rule: RuleDated | None
    tenant: str | None
    kind: Literal["quotes"] = "quotes"


@with_config(ConfigDict(ser_json_inf_nan="constants"))
@dataclass(frozen=True, slots=True)
class _Plain:
    """The fields of a prepared file that are not frames.

    ``record``: None if it is refused.
    """

    record: FileRecord | None
    parts: tuple[_PlainSeries | _PlainQuotes, ...]
    refusal: str
    source: str
    dataset: str
    validations: tuple[ValidationResult, ...]
    notices: tuple[str, ...]
    failure: str


_PLAIN = TypeAdapter(_Plain)


def to_message(prepared: Prepared) -> Message:
    """Return a prepared file as a message: the frames of its parts, two each, and the quarantine."""
    load = prepared.load
    plain = _Plain(
        record=load.record if load is not None else None,
        parts=tuple(map(_plain, load.parts)) if load is not None else (),
        refusal=prepared.refusal,
        source=prepared.source,
        dataset=prepared.dataset,
        validations=prepared.validations,
        notices=prepared.notices,
        failure=prepared.failure,
    )
    frames = [frame for part in load.parts for frame in _frames(part)] + [load.quarantine] if load else []
    return Message({"prepared": _PLAIN.dump_json(plain).decode()}, tuple(map(_encoded, frames)))


def from_message(message: Message) -> Prepared:
    """Return the prepared file in a message. Raises errors of pydantic (``ValueError``) and of Polars for other messages."""
    plain = _PLAIN.validate_json(str(message.header["prepared"]))
    load = None
    if plain.record is not None:
        if len(message.bodies) != 2 * len(plain.parts) + 1:
            raise ValueError(f"{len(message.bodies)} frames for {len(plain.parts)} parts")
        frames = [pl.read_ipc_stream(io.BytesIO(body)) for body in message.bodies]
        parts = tuple(
            _part(one, described, rows) for one, described, rows in zip(plain.parts, frames[:-1:2], frames[1:-1:2], strict=True)
        )
        load = FileLoad(plain.record, parts, conform(frames[-1], REFUSED), plain.validations)
    return Prepared(load, plain.refusal, plain.source, plain.dataset, plain.validations, plain.notices, plain.failure)


def _plain(part: Part) -> _PlainSeries | _PlainQuotes:
    if isinstance(part, SeriesRows):
        return _PlainSeries(part.rule, part.is_forecast, part.issue_at)
    return _PlainQuotes(part.source, part.dataset, part.rule, part.tenant)


def _frames(part: Part) -> tuple[pl.DataFrame, pl.DataFrame]:
    return (part.series if isinstance(part, SeriesRows) else part.curves), part.rows


def _part(plain: _PlainSeries | _PlainQuotes, described: pl.DataFrame, rows: pl.DataFrame) -> Part:
    if isinstance(plain, _PlainSeries):
        series = conform(described, SERIES)
        return SeriesRows(series, conform(rows, FILE_ROWS), plain.rule, plain.is_forecast, plain.issue_at)
    curves, quotes = conform(described, FILE_CURVES), conform(rows, FILE_QUOTES)
    return CurveQuotes(plain.source, plain.dataset, curves, quotes, plain.rule, plain.tenant)


def rows_to_message(parts: Sequence[DatasetRows]) -> Message:
    """Return the rows of datasets as a message."""
    return Message({"datasets": [[part.source, part.dataset] for part in parts]}, tuple(_encoded(part.rows) for part in parts))


def rows_from_message(message: Message) -> tuple[DatasetRows, ...]:
    """Return the rows of datasets in a message. Raises as ``from_message`` does."""
    return tuple(
        DatasetRows(str(source), str(dataset), _parsed(pl.read_ipc_stream(io.BytesIO(body))))
        for (source, dataset), body in zip(message.header["datasets"], message.bodies, strict=True)
    )


def _parsed(rows: pl.DataFrame) -> pl.DataFrame:
    return conform(rows, PARSED_QUOTES if "trade_date" in rows.columns else PARSED)


def _encoded(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()
