"""Recognises NYISO's CSV files by their header line, and by the report that their name says."""

from __future__ import annotations

from collections.abc import Callable

from aurum.pipelines.sampling import is_within_hours, sample_of
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.nyiso.file_name import report_in_name

_FEW = 4
"""Smallest number of different stamps that shows a step."""


def header_names(document: SourceFile) -> set[str]:
    """Return the words of the first line, without quotes and outer blanks."""
    return {name.strip() for name in document.head_lines(1)[0].replace('"', "").split(",")}


def by_header(*columns: str, report: str = "", hourly: bool = False) -> Callable[[SourceFile], bool]:
    """Return a recogniser of files whose first line names all the columns, the first of them that of the time.

    A file whose name says another report is not claimed, nor one whose rows have another step: ``hourly``, or shorter.
    """

    def recognise(document: SourceFile) -> bool:
        own = set(columns) <= header_names(document) and report_in_name(document)[0] in ("", report)
        return own and has_step(document, columns[0], hourly=hourly)

    return recognise


def has_step(document: SourceFile, stamp: str, *, hourly: bool) -> bool:
    """Return whether rows are hourly, or are not; true as well for stamps that are too few to tell."""
    stamps = sample_of(document).column(stamp)
    within = is_within_hours(stamps)
    return len(set(stamps)) < _FEW or within is None or within is not hourly
