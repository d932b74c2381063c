"""The lines of `aurum ingest` about a file."""

from __future__ import annotations

import pytest

from aurum.cli.ingest import _print_report
from aurum.cli.render import console, unit_jumps
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


def test_a_name_from_a_stranger_reaches_the_terminal_without_its_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = FileReport("\x1b[31mevil\nname[/x].csv", "0" * 64, FileOutcome.REFUSED, reason="no \x07 table")
    _print_report(console(), report, each=True)
    printed = capsys.readouterr().out
    assert "\\x1b[31mevil\\nname[/x].csv" in printed
    assert "\x1b" not in printed
    assert "no \\x07 table" in printed
