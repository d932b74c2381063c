"""Damages that files meet on their way: spreadsheets, copies, renames. Each turns a sample into a file, or into None."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import mode

from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import Sample
from aurum.pipelines.testing.workbook import Cell

Mutation = Callable[[Sample], SourceFile | None]
Change = Callable[[str], str]

_DIRECTIVES = {
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%p": r"[AP]M",
    "%b": r"[A-Z][a-z]{2}",
}


def _stamp_pattern(stamp: str) -> re.Pattern[str]:
    pattern = re.escape(stamp)
    for directive, expression in _DIRECTIVES.items():
        pattern = pattern.replace(re.escape(directive), expression)
    return re.compile(rf"(?<![\d/.-]){pattern}(?![\d/])")


def with_stamps(sample: Sample, change: Callable[[datetime, str], str]) -> SourceFile | None:
    """Return the file with each time of its rows replaced; day cells of a workbook are changed as days."""
    if sample.sheets:
        sheets = {name: [[_changed_day(cell, change) for cell in row] for row in rows] for name, rows in sample.sheets.items()}
        return _built(sample, sheets)
    patterns = [(stamp, _stamp_pattern(stamp)) for stamp in sample.stamps]
    if not patterns:
        return None
    lines = sample.text.split("\n")
    for place, line in enumerate(lines):
        if line.startswith(sample.untouched):
            continue
        for stamp, pattern in patterns:
            lines[place] = line = pattern.sub(lambda match, stamp=stamp: _changed(match[0], stamp, change), line)
    return _text(sample, "\n".join(lines))


def _changed(text: str, stamp: str, change: Callable[[datetime, str], str]) -> str:
    try:
        return change(datetime.strptime(text, stamp), stamp)
    except ValueError:
        return text


def _changed_day(cell: Cell, change: Callable[[datetime, str], str]) -> Cell:
    for stamp in ("%m/%d/%Y", "%Y-%m-%d"):
        if isinstance(cell, str):
            try:
                return change(datetime.strptime(cell, stamp), stamp)
            except ValueError:
                continue
    return cell


def _built(sample: Sample, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> SourceFile | None:
    return SourceFile(sample.name, replace(sample, sheets=sheets).content) if sheets != sample.sheets else None


def _text(sample: Sample, text: str) -> SourceFile | None:
    return SourceFile(sample.name, text.encode()) if text != sample.text else None


def _short(moment: datetime, stamp: str) -> str:
    """Return a time as a spreadsheet shows it: month, day, year of two digits."""
    clock = stamp.partition("%H")[2] or stamp.partition("%I")[2]
    hours = "%H" if "%H" in stamp else "%I"
    return f"{moment.month}/{moment.day}/{moment:%y}" + (f" {moment:{hours}{clock}}" if clock else "")


def two_digit_years(sample: Sample) -> SourceFile | None:
    return with_stamps(sample, _short)


def _exchanged(moment: datetime, stamp: str) -> str:
    return moment.strftime(stamp.replace("%m", "\1").replace("%d", "%m").replace("\1", "%d"))


def day_and_month_exchanged(sample: Sample) -> SourceFile | None:
    return with_stamps(sample, _exchanged) if any("%d" in stamp for stamp in sample.stamps) or sample.sheets else None


def _step(sample: Sample) -> timedelta | None:
    """Return the most frequent distance between the times of the rows; None for one time."""
    times: set[datetime] = set()
    for stamp in sample.stamps:
        for text in _stamp_pattern(stamp).findall(sample.text):
            try:
                times.add(datetime.strptime(text, stamp))
            except ValueError:
                continue
    ordered = sorted(times)
    gaps = [after - before for before, after in pairwise(ordered)]
    return mode(gaps) if gaps else None


def another_step(sample: Sample) -> SourceFile | None:
    """Rows of five minutes in an hourly file and the reverse; of months in a daily one; of days in a longer one."""
    step = _step(sample) if sample.text else None
    if step is None or sample.text.startswith("<"):
        return None
    if step < timedelta(hours=1):
        other = timedelta(hours=1)
    elif step < timedelta(days=1):
        other = timedelta(minutes=5)
    elif step < timedelta(days=2):
        other = timedelta(days=31)
    else:
        other = timedelta(days=1)
    first: dict[str, datetime] = {}

    def change(moment: datetime, stamp: str) -> str:
        start = first.setdefault(stamp, moment)
        if other == timedelta(hours=1):
            start = start.replace(minute=0, second=0)  # an hourly feed is stamped on the hour
            return (start + (moment - first[stamp]) / step * other).strftime(stamp)
        # All columns of a row move together, so an interval's end keeps its distance to the beginning.
        return (start + (moment - start) / step * other).strftime(stamp)

    return with_stamps(sample, change)


def _in_ids(change: Change) -> Mutation:
    return lambda sample: _replaced(sample, sample.ids[:1], change)


def _in_numeric_ids(change: Change) -> Mutation:
    return lambda sample: _replaced(sample, [text for text in sample.ids[:1] if text.isdigit()], change)


def in_numbers(change: Change) -> Mutation:
    return lambda sample: _replaced(sample, sample.numbers[:1], change)


def _row_by_row(changes: Sequence[Change], sample: Sample, texts: Sequence[str]) -> SourceFile | None:
    """Return the file in which each change is made to another row, as far as there are rows."""
    if not sample.text or not texts:
        return None
    pattern, remaining = re.compile(rf"(?<![\w.-]){re.escape(texts[0])}(?![\w.-])"), iter(changes)
    lines = sample.text.split("\n")
    for place in range(sample.header_line, len(lines)):
        if pattern.search(lines[place]) and (change := next(remaining, None)) is not None:
            lines[place] = pattern.sub(lambda match, change=change: change(match[0]), lines[place])
    return _text(sample, "\n".join(lines))


def _replaced(sample: Sample, texts: Sequence[str], change: Change) -> SourceFile | None:
    text = sample.text
    for old in texts:
        text = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", lambda _, old=old: change(old), text)
    return _text(sample, text) if sample.text else None


def _table(sample: Sample) -> tuple[list[str], list[list[str]]] | None:
    """Return the lines above the header, and the rows from the header on; None for files that are no table."""
    if not sample.text or not (sample.exchange or sample.odd):
        return None
    lines = sample.text.split("\n")
    return lines[: sample.header_line - 1], list(csv.reader(lines[sample.header_line - 1 :]))


def _written(sample: Sample, above: Sequence[str], rows: Sequence[Sequence[str]]) -> SourceFile | None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return _text(sample, "\n".join([*above, buffer.getvalue()]))


def _columns_exchanged(pair: tuple[str, str] | None, sample: Sample, *, with_headers: bool) -> SourceFile | None:
    table = _table(sample)
    if table is None or pair is None:
        return None
    above, rows = table
    one, other = (rows[0].index(name) for name in pair)
    for row in rows if with_headers else rows[1:]:
        if len(row) > max(one, other):
            row[one], row[other] = row[other], row[one]
    return _written(sample, above, rows)


def columns_exchanged_with_headers(sample: Sample) -> SourceFile | None:
    return _columns_exchanged(sample.exchange or sample.odd, sample, with_headers=True)


def id_and_number_exchanged_under_headers(sample: Sample) -> SourceFile | None:
    return _columns_exchanged(sample.odd, sample, with_headers=False)


def numbers_exchanged_under_headers(sample: Sample) -> SourceFile | None:
    return _columns_exchanged(sample.exchange, sample, with_headers=False)


def total_and_component_exchanged(sample: Sample) -> SourceFile | None:
    return _columns_exchanged(sample.total, sample, with_headers=False)


def energy_and_component_exchanged(sample: Sample) -> SourceFile | None:
    return _columns_exchanged(sample.energy, sample, with_headers=False)


def numbers_shifted_by_a_column(sample: Sample) -> SourceFile | None:
    """Move the numbers of neighbouring columns one to the right, those of the last column to the first."""
    table = _table(sample)
    if table is None or not sample.shift:
        return None
    above, rows = table
    places = [rows[0].index(name) for name in sample.shift]
    for row in rows[1:]:
        if len(row) > max(places):
            cells = [row[place] for place in places]
            for place, cell in zip(places, [cells[-1], *cells[:-1]], strict=True):
                row[place] = cell
    return _written(sample, above, rows)


def second_time_filled_down(sample: Sample) -> SourceFile | None:
    """Fill one of two columns of times down from the first row, as a spreadsheet does when a cell is dragged."""
    table = _table(sample)
    if table is None or not sample.second:
        return None
    above, rows = table
    place = rows[0].index(sample.second)
    for row in rows[2:]:
        if len(row) > place:
            row[place] = rows[1][place]
    return _written(sample, above, rows)


def doubled_header(sample: Sample) -> SourceFile | None:
    if not sample.text or not (sample.exchange or sample.odd):
        return None
    lines = sample.text.split("\n")
    header = lines[sample.header_line - 1]
    return _text(sample, "\n".join([*lines[: sample.header_line + 2], header, *lines[sample.header_line + 2 :]]))


def _renamed(position: int) -> Mutation:
    def rename(sample: Sample) -> SourceFile | None:
        return SourceFile(sample.neighbours[position], sample.content) if len(sample.neighbours) > position else None

    return rename


def rows_doubled(sample: Sample) -> SourceFile | None:
    if not sample.text or not (sample.exchange or sample.odd) or sample.untouched != "\0":
        return None
    lines = sample.text.rstrip("\n").split("\n")
    return _text(sample, "\n".join([*lines, *lines[sample.header_line :], ""]))


def last_row_cut(sample: Sample) -> SourceFile | None:
    """Cut the file in the last row, before its last field."""
    text = sample.text.rstrip("\n")
    return (
        _text(sample, text[: text.rindex(",")])
        if "," in text.rsplit("\n", 1)[-1]
        else _text(sample, text[: len(text) * 9 // 10])
    )


def cr_line_ends(sample: Sample) -> SourceFile | None:
    return _text(sample, sample.text.replace("\n", "\r")) if sample.text else None


def utf16(sample: Sample) -> SourceFile | None:
    return SourceFile(sample.name, sample.text.encode("utf-16")) if sample.text and not sample.text.startswith("<") else None


def semicolons(sample: Sample) -> SourceFile | None:
    """A spreadsheet of continental Europe: semicolons and decimal commas."""
    table = _table(sample)
    if table is None:
        return None
    above, rows = table
    body = "\n".join(";".join(re.sub(r"^(-?\d+)\.(\d+)$", r"\1,\2", cell) for cell in row) for row in rows)
    return _text(sample, "\n".join([*above, body]))


NUMERIC_IDS: Mapping[str, Change] = {
    "id as 51217.0": lambda text: f"{text}.0",
    "id as 51,217": lambda text: f'"{int(text):,}"',
    "id as 5.1217E+04": lambda text: f"{int(text):.{len(text) - 1}E}",
    "id as 00051217": lambda text: f"000{text}",
}
IDS: Mapping[str, Change] = {
    "NUL in an id": lambda text: f"{text[:2]}\0{text[2:]}",
    "U+200B in an id": lambda text: f"{text}\u200b",
    "U+FEFF in an id": lambda text: f"\ufeff{text}",
    "U+0091 in an id": lambda text: f"{text[:2]}\x91{text[2:]}",
    "U+202E in an id": lambda text: f"\u202e{text}",
}
NUMBERS: Mapping[str, Change] = {
    "NUL in a number": lambda text: f"{text[:1]}\0{text[1:]}",
    "U+200B in a number": lambda text: f"{text[:1]}\u200b{text[1:]}",
    "U+202E in a number": lambda text: f"\u202e{text}",
    "decimal comma": lambda text: f'"{text.replace(".", ",")}"' if "." in text else text,
    "thousands separator": lambda text: f'"1,{text}"' if len(text.partition(".")[0]) == _THOUSANDS else text,
}
_THOUSANDS = 3

OF_DATASET: Mapping[str, Mutation] = {
    "another feed's step": another_step,
    "renamed to a neighbour": _renamed(0),
    "renamed to a second neighbour": _renamed(1),
    "renamed to a third neighbour": _renamed(2),
}
"""Mutations whose outcome depends on the dataset."""

OF_FORMAT: Mapping[str, Mutation] = {"two-digit years": two_digit_years, "day and month exchanged": day_and_month_exchanged}
"""Mutations whose outcome depends on how a format writes its times."""

WHOLE: Mapping[str, Mutation] = {
    "semicolons, decimal commas": semicolons,
    "two columns exchanged with their headers": columns_exchanged_with_headers,
    "id and number exchanged under their headers": id_and_number_exchanged_under_headers,
    "two numbers of a unit exchanged under their headers": numbers_exchanged_under_headers,
    "total and a component exchanged under their headers": total_and_component_exchanged,
    "energy price and a component exchanged under their headers": energy_and_component_exchanged,
    "numbers shifted by a column under their headers": numbers_shifted_by_a_column,
    "one of two times filled down": second_time_filled_down,
    "doubled header": doubled_header,
    "rows doubled": rows_doubled,
    "last row cut": last_row_cut,
    "CR line ends": cr_line_ends,
    "UTF-16": utf16,
}

MUTATIONS: Mapping[str, Mutation] = {
    **OF_DATASET,
    **OF_FORMAT,
    **{name: _in_numeric_ids(change) for name, change in NUMERIC_IDS.items()},
    **{name: _in_ids(change) for name, change in IDS.items()},
    **{name: in_numbers(change) for name, change in NUMBERS.items()},
    **WHOLE,
}

TOGETHER: Mapping[str, Mutation] = {
    "numeric ids, a spelling a row": lambda sample: _row_by_row(
        list(NUMERIC_IDS.values()), sample, [text for text in sample.ids[:1] if text.isdigit()]
    ),
    "ids, an invisible character a row": lambda sample: _row_by_row(list(IDS.values()), sample, sample.ids[:1]),
}
"""The mutations of ids in one file, a different one in each row: as telling, and quicker."""
