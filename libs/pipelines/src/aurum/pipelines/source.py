"""The parts of a source: its datasets, the file formats it publishes them in, and the addresses of its daily files.

Parsing is separate from fetching: a format turns bytes into frames and uses no network, file system or database.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import TypeAlias

import polars as pl

from aurum.core.catalog.dimensions import FUEL_LABEL
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import Invalid
from aurum.pipelines.dataset import Dataset, Dimensions, IdRule, Measure, Plausible
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.public_files import Politeness, Problem, PublicFiles, no_problem
from aurum.pipelines.records import record_at

__all__ = [
    "PARSED_SERIES",
    "Content",
    "Dataset",
    "Dimensions",
    "FileFormat",
    "IdRule",
    "Measure",
    "NamedContent",
    "Parsed",
    "Plausible",
    "RefusedFile",
    "Source",
    "SourceFile",
    "describe_series",
]


class RefusedFile(Invalid):
    """A file that is damaged or not in the format it seems to have; nothing of it is loaded.

    Facts: ``line``, 1-based, where the damage shows; None when that is not known.
    """

    def __init__(self, reason: str, *, line: int | None = None, **facts: object) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}", line=line, **facts)
        self.reason = self.detail


_SAMPLED = 24_576
"""Characters of a long file from which the step of its rows is seen: of its beginning, middle and end."""
_PEEK = 4096
_SHORTEST = 16
# That of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDTHS = {"utf-16": 2, "utf-32": 4}


def _marked_encoding(content: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)


@dataclass(frozen=True)
class SourceFile:
    """One file as it was published: base name and bytes. ``archive``: name of the archive it is a member of; else empty."""

    name: str
    content: bytes
    archive: str = ""

    @cached_property
    def text(self) -> str:
        """The content as text: as its byte order mark says, else UTF-8, else Latin-1; line ends as in the file.

        Raises ``RefusedFile`` when the content is not of the encoding that its mark says.
        """
        encoding = _marked_encoding(self.content)
        try:
            return self.content.decode(encoding or "utf-8")
        except UnicodeDecodeError as error:
            if encoding is not None:
                raise RefusedFile(f"damaged text: not {encoding}, as its byte order mark says") from error
            return self.content.decode("latin-1")

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines without their ends (LF, CR LF or CR alone); ``lines[n - 1]`` is line n."""
        return self._text_lf.split("\n")

    def text_of(self, first: int, last: int) -> str:
        """Return the lines from the one at position ``first``, counted from 0, to that before ``last``, ends in LF."""
        start = 0
        for _ in range(first):
            start = self._text_lf.index("\n", start) + 1
        below = sum(len(line) + 1 for line in self.lines[last:])
        return self._text_lf[start : len(self._text_lf) - below]

    @cached_property
    def _text_lf(self) -> str:
        return self.text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in self.text else self.text

    @cached_property
    def head(self) -> str:
        """The first 4,096 characters or bytes as text, by which formats are recognised."""
        encoding = _marked_encoding(self.content) or "utf-8"
        return self.content[: _PEEK * _WIDTHS.get(encoding, 1)].decode(encoding, errors="replace")

    @cached_property
    def tail(self) -> str:
        """The last 4,096 characters or bytes as text."""
        encoding = _marked_encoding(self.content) or "utf-8"
        # A mark, which is only at the beginning, says the order of the bytes: without it the order has to be named.
        order = {"utf-16": "-le" if self.content.startswith(codecs.BOM_UTF16_LE) else "-be"}
        order["utf-32"] = "-le" if self.content.startswith(codecs.BOM_UTF32_LE) else "-be"
        return self.content[-_PEEK * _WIDTHS.get(encoding, 1) :].decode(encoding + order.get(encoding, ""), errors="replace")

    @cached_property
    def sampled_lines(self) -> list[str]:
        """Whole lines from the beginning, the middle and the end, at most 24 kB, by which the step of the rows is seen.

        All lines of a small file, none of an archive or a workbook.
        """
        if self.content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
            return []
        if len(self.content) <= _SAMPLED:
            return self.lines
        middle = len(self.text) // 2
        windows = (self.text[: _SAMPLED // 2], self.text[middle : middle + _SAMPLED // 4], self.text[-_SAMPLED // 4 :])
        first, *others = (re.split(r"\r\n|\r|\n", window) for window in windows)
        # The windows cut through a line at each end, except at the ends of the file.
        return [*first[:-1], *(line for lines in others for line in lines[1:-1])]

    @property
    def is_unmarked_utf16(self) -> bool:
        """True if the content looks like UTF-16 text without a byte order mark, which cannot be told from other bytes."""
        start = self.content[:64]
        if _marked_encoding(start) is not None or len(start) < _SHORTEST:
            return False
        even, odd = start[0::2].count(0), start[1::2].count(0)
        return min(even, odd) == 0 and max(even, odd) > len(start) // 2 * 0.9

    def head_lines(self, count: int) -> list[str]:
        """Return the first lines of the head, at most ``count``."""
        return self.head.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:count]

    def raw(self, line: int) -> str:
        """Return the text of a line, counted from 1, with those after it to which a quoted cell goes on; empty past the end."""
        return record_at(self.lines, line - 1) if 0 < line <= len(self.lines) else ""


PARSED_SERIES = pl.Schema(
    {
        "location": pl.String(),
        "measure": pl.String(),
        "unit": pl.String(),
        "currency": pl.String(),
        "frequency": pl.String(),
        "zone": pl.String(),
        "market": pl.String(),
        "location_name": pl.String(),
        "location_type": pl.String(),
        "labels": pl.String(),
        "business_days": pl.String(),
        "kind": pl.String(),
        "market_run": pl.String(),
        "fuel": pl.String(),
        "fuel_detail": pl.String(),
    }
)
"""One row for each series in a parsed file; ``labels`` is a JSON object of strings."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of one file for one dataset.

    ``rows``: schema ``core.frames.PARSED``. ``series``: schema ``PARSED_SERIES``, exactly one row for each
    (location, measure) of ``rows``. ``refused``: schema ``core.frames.REFUSED``. ``known_at``: the publication time the
    file states, UTC; None when it states none. ``rows_read``: data rows in the file, refused ones included (a row of several
    measures counts once). ``raw``: returns the text of a line, for checks made after parsing. ``notices``: sentences for the
    file's report, such as the publisher's own warning that the answer is not complete. ``answered_at``: when the publisher
    answered the query that the file is the answer to, UTC: an upper bound of the known time, no publication; None when the file
    does not state it. ``column``: returns the header of the column of an instant, in a table with a column for each hour; None
    for other tables.
    """

    dataset: Dataset
    rows: pl.DataFrame
    series: pl.DataFrame
    refused: pl.DataFrame
    rows_read: int
    raw: Callable[[int], str]
    known_at: datetime | None = None
    notices: tuple[str, ...] = ()
    answered_at: datetime | None = None
    column: Callable[[datetime], str] | None = None

    def holding_back(self, rows: pl.DataFrame, refused: pl.DataFrame) -> Parsed:
        """Return the content with only ``rows`` of its rows and the series that have one.

        ``refused``: the report of the other rows (schema ``core.frames.REFUSED``), which is added to that of this content.
        """
        pairs = rows.select("location", "measure").unique()
        series = self.series.join(pairs, on=["location", "measure"], how="semi", maintain_order="left")
        reported = pl.concat([self.refused, refused]).sort("line", maintain_order=True)
        return replace(self, rows=rows, series=series, refused=reported)


Content: TypeAlias = Parsed | ParsedQuotes
"""The content of a file for one dataset: observations of series, or quotes of products."""


def describe_series(
    dataset: Dataset,
    rows: pl.DataFrame,
    *,
    locations: pl.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    fuels: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return the ``PARSED_SERIES`` frame of a dataset, with the units, frequency and dimensions that the dataset declares.

    ``locations``: one row per location, columns ``location`` and, where known, ``location_name``, ``location_type``.
    ``fuels``: the operator's word by measure, for measures that the file adds to the declared
    ones; their unit is that of the declared measures of fuels. Parsers whose series differ in unit, frequency or labels change
    the columns of the result.
    """
    pairs = rows.select("location", "measure").unique(maintain_order=True)
    frame = pairs.join(
        _declared(dataset, pairs["measure"].unique(), labels or {}, fuels or {}),
        on="measure",
        how="left",
        maintain_order="left",
    )
    names = locations if locations is not None else pl.DataFrame(schema={"location": pl.String})
    for column in ("location_name", "location_type"):
        if column not in names.columns:
            names = names.with_columns(pl.lit("").alias(column))
    frame = frame.join(
        names.select("location", "location_name", "location_type").unique("location", keep="last"),
        on="location",
        how="left",
        maintain_order="left",
    )
    return frame.with_columns(
        pl.col("location_name").fill_null(""),
        pl.col("location_type").fill_null(""),
        frequency=pl.lit(str(dataset.frequency)),
        zone=pl.lit(dataset.zone),
        market=pl.lit(dataset.market, dtype=pl.String),
        business_days=pl.lit(dataset.business_days, dtype=pl.String),
    ).select(list(PARSED_SERIES))


_OF_MEASURE = ("unit", "currency", "labels", "kind", "market_run", "fuel", "fuel_detail")


def _declared(dataset: Dataset, names: pl.Series, labels: Mapping[str, str], fuels: Mapping[str, str]) -> pl.DataFrame:
    """Return one row for each measure of a file: ``measure`` and the columns ``_OF_MEASURE``."""
    by_name = {measure.name: measure for measure in dataset.measures}
    unit_of_fuels = next((measure.unit for measure in dataset.measures if measure.fuel), None)
    described: list[tuple[str | None, ...]] = []
    for name in names:
        measure = by_name.get(name)
        word = fuels.get(name) if measure is None else None
        said = dataset.dimensions(name, word)
        texts = json.dumps({**labels, FUEL_LABEL: said.word} if said.word else dict(labels), sort_keys=True, ensure_ascii=False)
        unit = measure.unit if measure is not None else unit_of_fuels if word else None
        currency = measure.currency if measure is not None else None
        described.append((name, unit, currency, texts, said.kind, said.market_run, said.fuel, said.fuel_detail))
    return pl.DataFrame(described, schema=dict.fromkeys(("measure", *_OF_MEASURE), pl.String), orient="row")


@dataclass(frozen=True, slots=True)
class NamedContent:
    """The content of a file as the name that its publisher gave it, or a line above its rows, states it. None: not stated.

    ``first`` and ``last``: the local days of ``zone`` in which every interval begins, those included that the publisher adds
    before and after. ``locations``: the only locations in the file. ``where``: the words of the line that states
    it, for messages; empty: the name states it.
    """

    first: date | None = None
    last: date | None = None
    zone: str = "UTC"
    locations: frozenset[str] | None = None
    where: str = ""


def _says_nothing(document: SourceFile) -> None:
    del document


def _not_similar(document: SourceFile) -> str:
    del document
    return ""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One layout of files. ``recognise`` looks at the name and a sample only; it must be fast and must not raise.

    ``parse`` raises ``RefusedFile`` for a damaged file; rows it cannot read go to ``refused`` of what it returns.
    ``named``: the content that the file's name or its first lines state; None where they state none. It raises ``RefusedFile``
    where two of them disagree.
    ``explain``: for a file that ``recognise`` refuses although it resembles this format, the reason, and which name would tell;
    empty for other files.
    """

    name: str
    datasets: tuple[Dataset, ...]
    recognise: Callable[[SourceFile], bool]
    parse: Callable[[SourceFile], tuple[Content, ...]]
    named: Callable[[SourceFile], NamedContent | None] = _says_nothing
    explain: Callable[[SourceFile], str] = _not_similar
    columns: tuple[str, ...] = ()
    """Header words that files of this layout have; of JSON its fields, of XML its elements. For refusals of similar files."""
    version: str = "1"
    """Version of ``parse``, stored with each file that it read. Change it when the same file gives other numbers."""
    parse_with: Callable[[SourceFile, ReadingTerms], tuple[Content, ...]] | None = None
    """Parses with stored terms, such as mapped spellings; None: the format needs none."""

    def parsed(self, document: SourceFile, terms: ReadingTerms = SHIPPED_TERMS) -> tuple[Content, ...]:
        """Return the content of a file, read with the stored terms where the format needs them. Raises ``RefusedFile``."""
        return self.parse(document) if self.parse_with is None else self.parse_with(document, terms)


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher with its formats and the addresses of its public files, by dataset name.

    ``urls``: returns the address of the file of a local day. ``archives``: returns that of the file of a month, asked for its
    first day. ``files``: declares the files of a dataset in full, in place of its entries in ``urls`` and ``archives``.
    ``manual``: title and address of the publisher's document that ``urls`` and ``archives`` are from. ``problem``: returns why
    an answer to them holds no data. ``politeness``: how often its hosts may be requested.
    """

    name: str
    title: str
    homepage: str
    formats: tuple[FileFormat, ...]
    urls: Mapping[str, Callable[[date], str]] = field(default_factory=dict[str, Callable[[date], str]])
    terms: str = ""
    """The publisher's terms of use in one line."""
    archives: Mapping[str, Callable[[date], str]] = field(default_factory=dict[str, Callable[[date], str]])
    files: Mapping[str, PublicFiles] = field(default_factory=dict[str, PublicFiles])
    manual: str = ""
    problem: Callable[[bytes], Problem | None] = no_problem
    politeness: tuple[Politeness, ...] = ()
    without_files: Mapping[str, str] = field(default_factory=dict[str, str])
    """By dataset name, why no file of it can be requested: a clause that completes "cannot be downloaded, because"."""

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset of every format, without repetition, in order of declaration."""
        return tuple(dict.fromkeys(dataset for file_format in self.formats for dataset in file_format.datasets))

    def public_files(self, dataset: str) -> PublicFiles | None:
        """Return the public files of a dataset; None for one that has none."""
        if dataset in self.files:
            return self.files[dataset]
        if dataset in self.urls or dataset in self.archives:
            return PublicFiles(
                day=self.urls.get(dataset), month=self.archives.get(dataset), manual=self.manual, problem=self.problem
            )
        return None
