"""CSV by RFC 4180, except that lines end with LF: a header line, then one line per row. A missing value is empty."""

from __future__ import annotations

from aurum.api.encoding.cells import CSV, Piece, cells, csv_field, joined
from aurum.api.encoding.table import Table

MEDIA_TYPE = "text/csv; charset=utf-8"


class CsvWriter:
    """The ``BulkWriter`` of CSV."""

    def __init__(self, empty: Table) -> None:
        self._header = b",".join(csv_field(name) for name in empty.columns) + b"\n"

    def start(self) -> bytes:
        return self._header

    def write(self, table: Table) -> bytes:
        if not table.height:
            return b""
        pieces: list[Piece] = []
        for column in table.columns.values():
            pieces += [cells(column, CSV, table.zone), b","]
        return joined([*pieces[:-1], b"\n"], table.height)

    def finish(self) -> bytes:
        return b""
