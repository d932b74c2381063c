"""The Arrow IPC stream: a record batch for each batch of the store. https://arrow.apache.org/docs/format/Columnar.html

PyArrow is imported for the first response in this format: it costs 40 MiB, which a service of JSON documents never needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aurum.api.encoding.table import (
    NAT,
    NOTHING_SAID,
    Column,
    Counts,
    Days,
    Description,
    Fragments,
    Instants,
    Labels,
    Numbers,
    Table,
)

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA_TYPE = "application/vnd.apache.arrow.stream"


class ArrowWriter:
    """The ``BulkWriter`` of Arrow IPC streams."""

    def __init__(self, empty: Table, description: Description = NOTHING_SAID) -> None:
        import pyarrow as pa

        self._sink = Sink()
        self._writer = pa.ipc.new_stream(self._sink, schema_of(empty, description))

    def start(self) -> bytes:
        return self._sink.take()

    def write(self, table: Table) -> bytes:
        if table.height:
            self._writer.write_batch(record_batch(table))
        return self._sink.take()

    def finish(self) -> bytes:
        self._writer.close()
        return self._sink.take()


class Sink:
    """A file that is only written; ``take`` empties it."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        """Return the bytes written since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def schema_of(empty: Table, description: Description) -> pa.Schema:
    """Return the schema of a table, with the facts about it as metadata of the schema and of its fields."""
    import pyarrow as pa

    schema = record_batch(empty).schema
    fields = [field.with_metadata(description.columns.get(field.name)) for field in schema] if description.columns else schema
    return pa.schema(fields, metadata=dict(description.table) or None)


def record_batch(table: Table) -> pa.RecordBatch:
    """Return a table as a record batch, without a copy of columns that are complete. NaN and ``NAT`` become nulls."""
    import pyarrow as pa

    arrays = [_array(column, table.zone) for column in table.columns.values()]
    return pa.RecordBatch.from_arrays(arrays, names=list(table.columns))


def _array(column: Column, zone: str) -> pa.Array:
    import pyarrow as pa

    match column:
        case Instants(us):
            missing = us == NAT
            return pa.array(us, mask=missing if missing.any() else None).view(pa.timestamp("us", zone))
        case Numbers(values):
            missing = np.isnan(values)
            return pa.array(values, mask=missing if missing.any() else None)
        case Labels(codes, words):
            return _dictionary(codes, words)
        case Counts(values):
            missing = values < 0
            return pa.array(values, mask=missing if missing.any() else None)
        case Days(days):
            return pa.array(days, pa.int32()).view(pa.date32())
        case Fragments():
            raise ValueError("JSON values have no form in Arrow: write their members as columns")


def _dictionary(codes: NDArray[np.integer], words: Sequence[str]) -> pa.DictionaryArray:
    """Return labels with each word once, as pandas requires of categories. A row with an empty word becomes a null."""
    import pyarrow as pa

    places = {word: place for place, word in enumerate(dict.fromkeys(filter(None, words)))}
    vocabulary = pa.array(list(places), pa.string())
    if len(places) == len(words):
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), vocabulary)
    indices = np.array([places.get(word, -1) for word in words], np.int32)[codes]
    missing = indices < 0
    # Polars reads the code of a null as well, so it must be one of the vocabulary.
    codes = np.maximum(indices, 0)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing if missing.any() else None), vocabulary)
