"""What commands show: tables and progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from aurum.pipelines.loading.load import FileReport

_PLAIN_WIDTH = 240


def console(*, stderr: bool = False) -> Console:
    made = Console(stderr=stderr, highlight=False)
    # Off a terminal nothing is folded to its width: the reader is a file or another program.
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=_PLAIN_WIDTH)


def progress(out: Console) -> Progress:
    """A bar with count and time; gone when done. Off a terminal it shows nothing."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Table:
    """A table with the named columns to the right."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        made.add_column(header, justify="right" if header in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def ingest_summary(reports: Sequence[FileReport], seconds: float) -> Table:
    """The totals of an ingest: a row a dataset, and one for all."""
    from aurum.pipelines.loading.load import FileOutcome  # the pipelines, which lists and tables do without

    numbers = ["files", "rows read", "new", "revised", "unchanged", "quarantined", "seconds"]
    by_dataset: dict[str, list[FileReport]] = {}
    for report in reports:
        if report.outcome is FileOutcome.REFUSED:
            name = "refused"
        elif report.outcome is FileOutcome.ALREADY_LOADED:
            name = "already loaded"
        else:
            name = f"{report.source}:{report.dataset}"
        by_dataset.setdefault(name, []).append(report)
    rows = [(name, *_totals(members)) for name, members in sorted(by_dataset.items())]
    total = _totals(reports)
    return table(["dataset", *numbers], [*rows, ("total", *total[:-1], f"{seconds:.2f}")], right=numbers)


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
