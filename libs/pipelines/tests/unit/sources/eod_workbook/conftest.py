from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.core.frames import REFUSED, conform
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.eod_workbook import SOURCE
from aurum.pipelines.testing.workbook import Cell, workbook

Sheets = Mapping[str, Sequence[Sequence[Cell]]]


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | Sheets], ParsedQuotes]:
    """Parse a file, or a workbook of sheets of rows, with the one format that recognises it."""

    def parse(name: str, content: bytes | Sheets) -> ParsedQuotes:
        document = SourceFile(name, content if isinstance(content, bytes) else workbook(content))
        (file_format,) = (candidate for candidate in SOURCE.formats if candidate.recognise(document))
        (parsed,) = file_format.parse(document)
        assert isinstance(parsed, ParsedQuotes)
        conform(parsed.rows.drop("cell"), PARSED_QUOTES)
        conform(parsed.refused, REFUSED)
        return parsed

    return parse
