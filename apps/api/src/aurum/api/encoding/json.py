"""JSON documents ``{"data": ..., "meta": {...}}`` with one object per row or one array per column, written from columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson

from aurum.api.encoding.cells import JSON, Piece, cells, joined, json_texts, number_array
from aurum.api.encoding.table import Column, Numbers, Table

MEDIA_TYPE = "application/json"


_FEW = 64
"""Rows up to which joining texts is cheaper than working in columns: 24 rows take 13 µs instead of 110 µs."""


def json_rows(table: Table, meta: Mapping[str, object]) -> bytes:
    """Return a document whose ``data`` is an array of objects."""
    return b'{"data":' + rows_array(table) + b',"meta":' + _document(meta) + b"}"


def json_columns(table: Table, meta: Mapping[str, object]) -> bytes:
    """Return a document whose ``data`` is an object of arrays of one length."""
    return b'{"data":' + columns_object(table) + b',"meta":' + _document(meta) + b"}"


def rows_array(table: Table) -> bytes:
    """Return an array with one object per row."""
    rows = _few_objects(table) if table.height <= _FEW else row_objects(table, b",").removesuffix(b",")
    return b"[" + rows + b"]"


def columns_object(table: Table) -> bytes:
    """Return an object of arrays of one length, one for each column."""
    columns = b",".join(
        orjson.dumps(name) + b":[" + _array(column, table.zone) + b"]" for name, column in table.columns.items()
    )
    return b"{" + columns + b"}"


def _few_objects(table: Table) -> bytes:
    pieces = list(_between(tuple(table.columns), table.height))
    width = 2 * len(table.columns)
    for place, column in enumerate(table.columns.values()):
        pieces[2 * place + 1 :: width] = json_texts(column, table.zone)
    return "".join(pieces).encode()


@lru_cache(maxsize=1_024)
def _between(names: tuple[str, ...], height: int) -> tuple[str, ...]:
    """Return the texts around the values of ``height`` objects, with an empty text in the place of each value."""
    if not height:
        return ()
    members = [piece for name in names for piece in (f",{orjson.dumps(name).decode()}:", "")]
    first, *rest = members
    return ("{" + first[1:], *rest, *(("},{" + first[1:], *rest) * (height - 1)), "}")


def row_objects(table: Table, terminator: bytes) -> bytes:
    """Return one object per row, each followed by the terminator."""
    if not table.height:
        return b""
    pieces: list[Piece] = []
    for name, column in table.columns.items():
        pieces += [(b"," if pieces else b"{") + orjson.dumps(name) + b":", cells(column, JSON, table.zone)]
    return joined([*pieces, b"}" + terminator], table.height)


def _array(column: Column, zone: str) -> bytes:
    """Return the items of an array, without its brackets."""
    if not len(column):
        return b""
    if isinstance(column, Numbers):
        return number_array(column.values)[1:-1]
    items = cells(column, JSON, zone)
    if isinstance(items, bytes):
        return b",".join([items] * len(column))
    return joined([items, b","], len(column))[:-1]


def _document(meta: Mapping[str, object]) -> bytes:
    return orjson.dumps(meta, option=orjson.OPT_UTC_Z)
