"""Recognises NYISO's CSV files by their header line."""

from __future__ import annotations

from collections.abc import Callable

from aurum.pipelines.source import SourceFile


def header_names(document: SourceFile) -> set[str]:
    """Return the words of the first line, without quotes and outer blanks."""
    return {name.strip() for name in document.head_lines(1)[0].replace('"', "").split(",")}


def by_header(*columns: str) -> Callable[[SourceFile], bool]:
    """Return a recogniser of files whose first line names all the columns."""
    needed = set(columns)

    def recognise(document: SourceFile) -> bool:
        return needed <= header_names(document)

    return recognise
