"""NDJSON: one JSON object per line. https://github.com/ndjson/ndjson-spec"""

from __future__ import annotations

from aurum.api.encoding.json import row_objects
from aurum.api.encoding.table import Table

MEDIA_TYPE = "application/x-ndjson"


class NdjsonWriter:
    """The ``BulkWriter`` of NDJSON."""

    def __init__(self, empty: Table) -> None: ...

    def start(self) -> bytes:
        return b""

    def write(self, table: Table) -> bytes:
        return row_objects(table, b"\n")

    def finish(self) -> bytes:
        return b""
