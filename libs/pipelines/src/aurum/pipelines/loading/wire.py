"""Prepared files as messages: frames as Arrow IPC streams, all else as JSON. Nothing that a child sends is executed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from pydantic import ConfigDict, TypeAdapter, with_config

from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import FILE_ROWS, PARSED, REFUSED, SERIES, conform
from aurum.pipelines.isolation import Message
from aurum.pipelines.loading.prepare import Prepared
from aurum.pipelines.loading.rows import DatasetRows
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.ports.observations import RuleDated, SeriesRows


@with_config(ConfigDict(ser_json_inf_nan="constants"))
@dataclass(frozen=True, slots=True)
class _Plain:
    """The fields of a prepared file that are not frames.

    ``record``: None if it is refused. ``parts``: of each part its rule, whether it is of a forecast, and the time of its issue.
    """

    record: FileRecord | None
    parts: tuple[tuple[RuleDated | None, bool, datetime | None], ...]
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
        parts=tuple((part.rule, part.is_forecast, part.issue_at) for part in load.parts) if load is not None else (),
        refusal=prepared.refusal,
        source=prepared.source,
        dataset=prepared.dataset,
        validations=prepared.validations,
        notices=prepared.notices,
        failure=prepared.failure,
    )
    frames = [frame for part in load.parts for frame in (part.series, part.rows)] + [load.quarantine] if load else []
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
            SeriesRows(conform(series, SERIES), conform(rows, FILE_ROWS), rule, is_forecast, issue_at)
            for series, rows, (rule, is_forecast, issue_at) in zip(frames[:-1:2], frames[1:-1:2], plain.parts, strict=True)
        )
        load = FileLoad(plain.record, parts, conform(frames[-1], REFUSED), plain.validations)
    return Prepared(load, plain.refusal, plain.source, plain.dataset, plain.validations, plain.notices, plain.failure)


def rows_to_message(parts: Sequence[DatasetRows]) -> Message:
    """Return the rows of datasets as a message."""
    return Message({"datasets": [[part.source, part.dataset] for part in parts]}, tuple(_encoded(part.rows) for part in parts))


def rows_from_message(message: Message) -> tuple[DatasetRows, ...]:
    """Return the rows of datasets in a message. Raises as ``from_message`` does."""
    return tuple(
        DatasetRows(str(source), str(dataset), conform(pl.read_ipc_stream(io.BytesIO(body)), PARSED))
        for (source, dataset), body in zip(message.header["datasets"], message.bodies, strict=True)
    )


def _encoded(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()
