from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from aurum.core.frames import PARSED, REFUSED, conform
from aurum.pipelines.source import PARSED_SERIES, Parsed, SourceFile
from aurum.pipelines.sources.eia import SOURCE
from aurum.pipelines.testing.workbook import workbook as write_workbook


def _hold_to_contract(parsed: Parsed) -> None:
    conform(parsed.rows, PARSED)
    conform(parsed.series, PARSED_SERIES)
    conform(parsed.refused, REFUSED)
    assert parsed.dataset in SOURCE.datasets
    assert parsed.rows["value"].is_finite().all()
    pairs = parsed.rows.select("location", "measure").unique().sort("location", "measure")
    assert parsed.series.select("location", "measure").sort("location", "measure").equals(pairs)
    assert parsed.series["unit"].null_count() == 0


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    """A function that parses a file with the one format that recognises it, and checks the rules for every parser."""

    def parse_file(name: str, content: bytes | str) -> tuple[Parsed, ...]:
        document = SourceFile(name, content.encode() if isinstance(content, str) else content)
        (file_format,) = (candidate for candidate in SOURCE.formats if candidate.recognise(document))
        parsed_parts = file_format.parse(document)
        for parsed in parsed_parts:
            _hold_to_contract(parsed)
        return parsed_parts

    return parse_file


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[7] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def workbook() -> Callable[[Mapping[str, Sequence[Sequence[str | float | date | None]]]], bytes]:
    """An .xlsx of sheets of rows: texts, numbers, days as date cells, None for an empty cell."""
    return write_workbook
