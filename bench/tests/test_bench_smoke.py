"""The whole bench on little data: every row is present and has numbers. Tests do not judge the numbers."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_process

_ROOT = Path(__file__).resolve().parents[2]
_ROWS = (
    "ISO-NE day: file to committed versions",
    "ISO-NE day: forced again, nothing changed",
    "ISO-NE day: the day after, compared with it",
    "ISO-NE day: the same file again",
    "PJM year: file to committed versions",
    "PJM year: its first 24 rows, the fixed cost of a file",
    "slice: 24 rows, JSON",
    "slice: 8,760 rows, JSON rows",
    "slice: 8,760 rows, JSON columns",
    "as_of: 24 rows with ten versions a point",
    "cached GET, 24 rows, everything on",
    "304 on If-None-Match, everything on",
    "large cached answers, 145,000 rows as Parquet",
    "large cached answers, 145,000 rows as gzipped CSV",
    "observations over HTTP as Arrow",
    "observations over HTTP as CSV",
    "observations as csv",
    "observations as arrow",
    "API: start to first answer",
    "API: memory at rest",
    "slice of 24 rows with ",
    "load of 10 new days of ",
    "months archived",
    "month of one archived series, p50",
    "month of one archived series, p95",
    "slice of 24 archived rows",
    "slice of 24 hot rows through both tiers",
    "bytes of an archived row",
    "points archived",
    "points archived, files",
    "a day of a month",
    "bytes a row in ClickHouse",
    "smooth build, ten years of days, 25 quotes: in process",
    "smooth build, ten years of days, 25 quotes: POST",
    "hourly shape, 87,672 h: Arrow",
    "hourly shape, 87,672 h: JSON columns",
    "strips of two periods",
    "history of one period",
    "diff of ",
    "RP-sized workbook (4 sheets of 61 × 367): parsed",
    "RP-sized workbook (4 sheets of 61 × 367): committed",
    "EEX file of years",
)


def _bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *arguments], check=False, cwd=_ROOT, capture_output=True, text=True)


@pytest.mark.e2e
@pytest.mark.timeout(1800)  # ends what hangs: it takes a minute or two, on a machine with a load of 20 more than seven
def test_every_row_yields_numbers(tmp_path: Path) -> None:
    output = tmp_path / "quick.json"

    done = _bench("--quick", "--output", str(output))

    assert done.returncode == 0, done.stderr[-3_000:]
    figures = {figure["name"]: figure for figure in json.loads(output.read_text())["figures"]}
    for row in _ROWS:
        assert any(row in name for name in figures), f"no figure for {row}; the figures are {list(figures)}"
        assert row in done.stdout
    written = [figure["ours"] for name, figure in figures.items() if name.endswith("rows that wrote")]
    assert written == [0, 0]
    for name, figure in figures.items():
        numbers = [figure["ours"], figure["reference"], figure["ratio"], *figure["ratios"]]
        assert all(math.isfinite(number) for number in numbers), name
        assert figure["ratio"] > 0, name


def test_an_unknown_group_is_named() -> None:
    done = _bench("--only", "slcies")

    assert done.returncode == 2
    assert "unknown group: slcies; choose from ingest" in done.stderr
