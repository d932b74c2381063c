from collections.abc import Callable
from pathlib import Path

import pytest

from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.source import Parsed
from aurum.pipelines.sources.eex import SOURCE
from aurum.pipelines.testing.source_contract import parser_of, quotes_parser_of


@pytest.fixture(scope="session")
def parse() -> Callable[[str, bytes | str], tuple[ParsedQuotes, ...]]:
    return quotes_parser_of(SOURCE)


@pytest.fixture(scope="session")
def parse_prices() -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    return parser_of(SOURCE)


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files next to the repository; skips the test when it is missing."""
    folder = Path(__file__).resolve().parents[7] / "shared" / "data" / "forward"
    if not folder.is_dir():
        pytest.skip(f"no real files: {folder} does not exist")
    return folder
