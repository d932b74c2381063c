"""The refusal of a JSON document of rows in ``data``: by row where its rows are wrong, else by field."""

from __future__ import annotations

import polars as pl
from pydantic import ValidationError

from aurum.api.http.problems import InvalidParameters
from aurum.services.private import BadRows

_SHOWN = 20
_MOST = 10_000
"""Errors above which they are only counted: each would become an object of a few hundred bytes."""


def refused_rows(error: ValidationError) -> BadRows | InvalidParameters:
    """Return the refusal of a document, with the first of its errors."""
    if error.error_count() > _MOST:
        return InvalidParameters(("body", f"has {error.error_count():,} errors: send rows with the documented members", None))
    errors = error.errors(include_url=False, include_context=False)
    is_of_row = [len(one["loc"]) >= 2 and one["loc"][0] == "data" for one in errors]
    others = [one for one, of_row in zip(errors, is_of_row, strict=True) if not of_row][:_SHOWN]
    if others:
        return InvalidParameters(*((".".join(map(str, one["loc"])) or "body", _why(one["msg"]), None) for one in others))
    problems = [
        (int(one["loc"][1]) + 1, str(one["loc"][2]) if len(one["loc"]) > 2 else "row", str(one["input"])[:60], _why(one["msg"]))
        for one in errors
    ]
    schema = {"line": pl.UInt32, "column": pl.String, "text": pl.String, "problem": pl.String}
    return BadRows(pl.DataFrame(problems, schema=schema, orient="row"))


def _why(message: str) -> str:
    return message.removeprefix("Value error, ")
