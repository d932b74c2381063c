"""The line of `aurum ingest` about a file whose values jump by a power of ten."""

from __future__ import annotations

from aurum.cli.render import unit_jumps
from aurum.core.catalog.entries import UnitJump
from aurum.pipelines.loading.load import FileOutcome, FileReport

JUMP = UnitJump("nyiso:damlbmp_zone:61761:lmp", 100.0, 3512.5, 35.125)


def report(series: int) -> FileReport:
    return FileReport("a.csv", "0" * 64, FileOutcome.APPLIED, suspect_series=series, unit_jumps=(JUMP,))


def test_one_series_is_named_with_both_medians() -> None:
    assert unit_jumps(report(1)) == (
        "values of 1 series are about 100 times the stored ones, loaded with quality suspect: "
        "nyiso:damlbmp_zone:61761:lmp (median 3512.5 after 35.125)"
    )


def test_further_series_are_counted() -> None:
    assert unit_jumps(report(1_201)).startswith("values of 1,201 series are about 100 times")
    assert unit_jumps(report(1_201)).endswith("(median 3512.5 after 35.125) and 1,200 more")
