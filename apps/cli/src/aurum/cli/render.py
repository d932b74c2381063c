"""Output of commands: tables and progress bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from aurum.core.visible import escaped

if TYPE_CHECKING:
    from aurum.pipelines.loading.load import FileReport

_UNLIMITED = 1_000_000
_GAP = 2
_TEXT_WIDTH = 20
"""Smallest width to which a column of sentences is folded."""


def console(*, stderr: bool = False) -> Console:
    """Return the console of a command. It folds no line: a terminal folds long lines itself, and a file has no width."""
    terminal = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return terminal if terminal.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=_UNLIMITED)


def progress(out: Console, *, quiet: bool = False) -> Progress:
    """Return a progress bar with count and time, which disappears at the end. It shows nothing unless on a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=quiet or not out.is_terminal,
    )


def safe(text: str) -> str:
    """Return a text of a file for the terminal: invisible characters as escapes, and no markup."""
    return escape(escaped(text))


def byte_size(count: int) -> str:
    """Return a number of bytes as people read it.

    >>> byte_size(800), byte_size(1_400_000), byte_size(3 << 30)
    ('800 B', '1.3 MiB', '3.0 GiB')
    """
    if count < 1024:
        return f"{count} B"
    size, units = count / 1024, iter(("KiB", "MiB", "GiB"))
    unit = next(units)
    while size >= 1024 and (larger := next(units, None)):
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


class _WholeTable(Table):
    """A table that may be wider than the terminal. Rich would leave out the columns that do not fit."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needed = sum((column.min_width or 0) + _GAP for column in self.columns)
        return super().__rich_console__(console, options.update(max_width=max(options.max_width, needed)))


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), text: Sequence[str] = ()
) -> Table:
    """Return a table. ``right``: headers of the columns to align to the right. ``text``: headers of the columns
    with sentences, which are folded. Other cells and all headers stay in one line, because a folded name cannot be copied.
    """
    lines = [["" if cell is None else escaped(str(cell)) for cell in row] for row in rows]
    result = _WholeTable(box=None, header_style="bold", pad_edge=False)
    for place, header in enumerate(headers):
        is_text = header in text
        width = max(map(cell_len, [header, *(line[place] for line in lines)]))
        result.add_column(
            header,
            justify="right" if header in right else "left",
            overflow="fold",
            no_wrap=not is_text,
            min_width=min(width, max(_TEXT_WIDTH, cell_len(header))) if is_text else width,
        )
    for line in lines:
        result.add_row(*(escape(cell) for cell in line))
    return result


def load_line(report: FileReport) -> str:
    """Return one line about a file that was loaded, or did not need to be."""
    from aurum.pipelines.loading.load import FileOutcome  # slow to load, and not needed by other commands

    if report.outcome is not FileOutcome.APPLIED:
        return f"{report.outcome} {report.name}"
    counts = f"{report.new:,} new, {report.revised:,} revised, {report.unchanged:,} unchanged"
    return f"loaded {report.name}: {counts} ({report.source}:{report.dataset}, {report.seconds:.2f} s)"


def print_notices(out: Console, report: FileReport) -> None:
    """Print what a file says of itself, a line for each sentence."""
    for notice in report.notices:
        out.print(f"[yellow]notice[/yellow] {safe(report.name)}: {safe(notice)}", highlight=False)


def ingest_summary(reports: Sequence[FileReport], seconds: float) -> Table:
    """Return the totals of a load as a table: one row for each dataset, and a last one for all."""
    from aurum.pipelines.loading.load import FileOutcome  # slow to load, and not needed by other tables

    numbers = ["files", "rows read", "new", "revised", "unchanged", "quarantined", "seconds"]
    by_dataset: dict[str, list[FileReport]] = {}
    for report in reports:
        if report.outcome is FileOutcome.REFUSED:
            name = "refused"
        elif report.outcome is not FileOutcome.APPLIED:
            name = str(report.outcome)
        else:
            name = f"{report.source}:{report.dataset}"
        by_dataset.setdefault(name, []).append(report)
    rows = [(name, *_totals(members)) for name, members in sorted(by_dataset.items())]
    total = _totals(reports)
    return table(["dataset", *numbers], [*rows, ("total", *total[:-1], f"{seconds:.2f}")], right=numbers)


def unit_jumps(report: FileReport) -> str:
    """Return one line about the series of a file that were loaded as suspect, because their unit seems to have changed."""
    first = report.unit_jumps[0]
    count = "1 series" if report.suspect_series == 1 else f"{report.suspect_series:,} series"
    others = f" and {report.suspect_series - 1:,} more" if report.suspect_series > 1 else ""
    return (
        f"values of {count} are about {first.factor:g} times the stored ones, loaded with quality suspect: "
        f"{first.key} (median {first.median:g} after {first.stored:g}){others}"
    )


def quote_flags(report: FileReport) -> str:
    """Return one line about the curves of a file that jump or stand still beside the session before."""
    first = report.quote_flags[0]
    count = "1 curve" if report.flagged_curves == 1 else f"{report.flagged_curves:,} curves"
    what = f"{first.curve} of {first.trade_date}"
    if first.delivery_start is not None:
        what += f", {first.delivery_start} to {first.delivery_end},"
    if first.ratio is not None:
        finding = f"is about {first.ratio:.4g} times the session before"
    elif first.delivery_start is None:
        finding = "repeats all prices of the session before"
    else:
        finding = f"has not moved for {first.sessions} sessions"
    others = f" and {len(report.quote_flags) - 1:,} more" if len(report.quote_flags) > 1 else ""
    return f"quotes of {count} need a look: {what} {finding}{others}"


def _totals(reports: Sequence[FileReport]) -> tuple[str, ...]:
    counts = (
        len(reports),
        sum(report.rows_read for report in reports),
        sum(report.new for report in reports),
        sum(report.revised for report in reports),
        sum(report.unchanged for report in reports),
        sum(report.quarantined for report in reports),
    )
    return (*(f"{count:,}" for count in counts), f"{sum(report.seconds for report in reports):.2f}")
