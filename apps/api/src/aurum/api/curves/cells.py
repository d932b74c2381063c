"""Built curves as tables: a row for each cell, with its start, its end and a price."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aurum.api.encoding.bulk import DESCRIBED, bulk_writer
from aurum.api.encoding.table import NOTHING_SAID, Column, Description, Instants, Numbers, Table
from aurum.api.observations.tables import empty_like
from aurum.services.curves.build_answer import BuildAnswer


def cells_table(answer: BuildAnswer) -> Table:
    """Return ``start``, ``end`` and the prices of a built curve; NaN is a missing price."""
    columns: dict[str, Column] = {"start": Instants(answer.starts), "end": Instants(answer.ends)}
    return Table(columns | {name: Numbers(np.ascontiguousarray(column)) for name, column in answer.values.items()})


def bulk_cells(table: Table, name: str, facts: Mapping[str, object]) -> bytes:
    """Return a table in a bulk format. ``facts``: about the curve, for formats whose schema has a place for them."""
    texts = {key: str(value) for key, value in facts.items() if value is not None}
    writer = bulk_writer(name, empty_like(table), Description(texts) if name in DESCRIBED else NOTHING_SAID)
    return writer.start() + writer.write(table) + writer.finish()
