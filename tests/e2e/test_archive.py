"""``aurum archive``: answers stay the same when months move to history, and missing files are reported in one line."""

from pathlib import Path

import pytest

from .conftest import SAMPLE, aurum

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_SHOW = ("series", "show", "nyiso:damlbmp_zone:61761:lmp", "--start", "2025-11-02", "--end", "2025-11-03")


def test_months_are_archived_checked_and_missed(data_dir: Path) -> None:
    assert aurum(data_dir, "ingest", SAMPLE / "nyiso" / "20251102damlbmp_zone.csv").returncode == 0
    before = aurum(data_dir, *_SHOW).stdout
    ran = aurum(data_dir, "archive", "run", "--closed-after", "1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "2025-11" in ran.stdout
    assert aurum(data_dir, *_SHOW).stdout == before

    for path in (data_dir / "history").rglob("*.parquet"):
        path.rename(path.with_suffix(".away"))

    for command in (("archive", "verify"), _SHOW):
        missed = aurum(data_dir, *command)
        assert missed.returncode == 1
        assert missed.stderr.count("\n") == 1
        assert "history" in missed.stderr
