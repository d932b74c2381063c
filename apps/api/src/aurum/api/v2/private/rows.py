"""Points in the body of a request: JSON or CSV, as rows that are not checked yet."""

from __future__ import annotations

import polars as pl
from pydantic import ValidationError

from aurum.api.http.problems import InvalidParameters
from aurum.api.v2.private.schemas import PrivatePoints
from aurum.services.private import ROWS, BadRows, csv_rows

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
        raise _refused(error) from error
    # rows: pydantic made an object of each; the columns are taken from it once.
    start = pl.Series("start", [point.start for point in points.data], pl.String)
    value = pl.Series("value", [point.value for point in points.data], pl.Float64)
    known_at = pl.Series("known_at", [point.known_at for point in points.data], pl.String)
    return pl.DataFrame([start, value, known_at]).with_row_index("line", offset=1).select(list(ROWS))


def _refused(error: ValidationError) -> BadRows | InvalidParameters:
    """Return the refusal of a document: by row if its rows are wrong, else by field."""
    errors = error.errors(include_url=False)
    of_rows = [one for one in errors if len(one["loc"]) >= 2 and one["loc"][0] == "data"]
    if len(of_rows) < len(errors):
        others = [one for one in errors if one not in of_rows]
        return InvalidParameters(*((".".join(map(str, one["loc"])) or "body", one["msg"], None) for one in others[:20]))
    problems = [
        (int(one["loc"][1]) + 1, str(one["loc"][2]) if len(one["loc"]) > 2 else "row", str(one["input"])[:60], one["msg"])
        for one in of_rows
    ]
    schema = {"line": pl.UInt32, "column": pl.String, "text": pl.String, "problem": pl.String}
    return BadRows(pl.DataFrame(problems, schema=schema, orient="row"))
