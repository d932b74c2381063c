from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from aurum.pipelines.source import Parsed
from aurum.pipelines.sources.eia import SOURCE
from aurum.pipelines.testing.source_contract import parser_of
from aurum.pipelines.testing.workbook import workbook as write_workbook


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    return parser_of(SOURCE)


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
