"""The lines of `aurum ingest` about a file."""

from __future__ import annotations

from datetime import date

import pytest

from aurum.cli.ingest import _print_report
from aurum.cli.render import console, quote_flags, unit_jumps
from aurum.core.catalog.entries import QuoteFlag, UnitJump
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


KEY, DAY = "gas:NBP:base:EEX", date(2025, 1, 8)
FEB = date(2025, 2, 1), date(2025, 3, 1)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ([QuoteFlag(KEY, "unit_jump", DAY, ratio=0.010204)], "is about 0.0102 times the session before"),
        ([QuoteFlag(KEY, "stale", DAY, sessions=1)], "repeats all prices of the session before"),
        (
            [QuoteFlag(KEY, "unit_jump", DAY, *FEB, 1.2, 120.0, 0.01)],
            ", 2025-02-01 to 2025-03-01, is about 0.01 times the session before",
        ),
        (
            [QuoteFlag(KEY, "stale", DAY, *FEB, 1.2, 1.2, None, 3)] * 2,
            ", 2025-02-01 to 2025-03-01, has not moved for 3 sessions and 1 more",
        ),
    ],
)
def test_a_flagged_curve_is_named_with_what_was_found(
    flags: list[QuoteFlag], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flagged = FileReport("a.csv", "0" * 64, FileOutcome.APPLIED, flagged_curves=1, quote_flags=tuple(flags))
    comma = "" if line.startswith(",") else " "
    assert quote_flags(flagged) == f"quotes of 1 curve need a look: {KEY} of 2025-01-08{comma}{line}"
    _print_report(console(), flagged, each=False)
    assert capsys.readouterr().out.startswith("flagged a.csv: quotes of 1 curve need a look")


def test_a_name_from_a_stranger_reaches_the_terminal_without_its_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = FileReport("\x1b[31mevil\nname[/x].csv", "0" * 64, FileOutcome.REFUSED, reason="no \x07 table")
    _print_report(console(), report, each=True)
    printed = capsys.readouterr().out
    assert "\\x1b[31mevil\\nname[/x].csv" in printed
    assert "\x1b" not in printed
    assert "no \\x07 table" in printed
