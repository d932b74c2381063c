"""Parses a file without checks or a store, for tools that only look at its rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from aurum.core.errors import AurumError
from aurum.pipelines.loading.prepare import is_surprise, surprise
from aurum.pipelines.loading.reasons import brief
from aurum.pipelines.reading.bounds import check_bounds
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import RefusedFile, SourceFile


@dataclass(frozen=True, slots=True)
class DatasetRows:
    """The rows of one dataset of a file, schema ``core.frames.PARSED``; of quotes ``core.curves.quotes.PARSED_QUOTES``."""

    source: str
    dataset: str
    rows: pl.DataFrame


def rows_of(registry: Registry, document: SourceFile) -> tuple[DatasetRows, ...]:
    """Return the rows of each dataset in a file. Raises ``RefusedFile``, whatever the parser raises."""
    try:
        check_bounds(document)
        source, file_format = registry.recognise(document)
        return tuple(DatasetRows(source.name, part.dataset.name, part.rows) for part in file_format.parse(document))
    except RefusedFile:
        raise
    except BaseException as error:
        if not is_surprise(error):
            raise
        raise RefusedFile(brief(error.detail) if isinstance(error, AurumError) else surprise(error)) from error
