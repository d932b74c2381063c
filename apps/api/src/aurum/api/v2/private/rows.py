"""Points in the body of a request: JSON or CSV, as rows that are not checked yet."""

from __future__ import annotations

import polars as pl
from pydantic import ValidationError

from aurum.api.contract.refused_rows import refused_rows
from aurum.api.http.problems import InvalidParameters
from aurum.api.v2.private.schemas import PrivatePoints
from aurum.services.private import ROWS, csv_rows

JSON, CSV = "application/json", "text/csv"


def rows_of(body: bytes, content_type: str) -> pl.DataFrame:
    """Return the rows of a body, schema ``services.private.ROWS`` (numbers of JSON as Float64).

    Raises ``InvalidParameters`` for another type of content or another document, ``BadRows``, ``Invalid``.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == CSV:
        return csv_rows(body)
    if kind != JSON:
        raise InvalidParameters(("Content-Type", f"must be {JSON} or {CSV}", content_type[:100]))
    try:
        points = PrivatePoints.model_validate_json(body)
    except ValidationError as error:
        raise refused_rows(error) from error
    # rows: pydantic made an object of each; the columns are taken from it once.
    start = pl.Series("start", [point.start for point in points.data], pl.String)
    value = pl.Series("value", [point.value for point in points.data], pl.Float64)
    known_at = pl.Series("known_at", [point.known_at for point in points.data], pl.String)
    return pl.DataFrame([start, value, known_at]).with_row_index("line", offset=1).select(list(ROWS))
