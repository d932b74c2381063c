"""Prepares a file for the store, from its bytes to checked rows or a reason for its refusal: a function without I/O.

It runs in a thread of the loader or in a child process (``isolated``). Whatever a parser raises ends here as a refused file.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import AurumError
from aurum.core.frames import REFUSED, SERIES, UTC_US, FrameMismatch
from aurum.pipelines.fuels import with_mapped_fuels
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy, KnownTime, issue_time, known_time
from aurum.pipelines.loading.quotes import KnownQuotes, curve_quotes
from aurum.pipelines.loading.reasons import brief
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.places import with_place_names
from aurum.pipelines.quality.checks import Checked, check_parts, passed
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.reading.bounds import check_bounds
from aurum.pipelines.registry import Registry
from aurum.pipelines.release import release
from aurum.pipelines.source import Content, Dataset, FileFormat, RefusedFile, Source, SourceFile
from aurum.pipelines.storable import storable
from aurum.storage.ports.files import FileLoad, FileRecord, Part
from aurum.storage.ports.observations import SeriesRows


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file after parsing and checks: the load, or the reason why the file is refused.

    ``failure``: for the log: the traceback of a parser that failed, or the error output of its process.
    """

    load: FileLoad | None = None
    refusal: str = ""
    source: str = ""
    dataset: str = ""
    validations: tuple[ValidationResult, ...] = ()
    notices: tuple[str, ...] = ()
    failure: str = ""


def prepare(
    registry: Registry,
    suites: Suites,
    document: SourceFile,
    digest: str,
    policy: KnownAtPolicy,
    now: datetime,
    terms: ReadingTerms = SHIPPED_TERMS,
) -> Prepared:
    """Recognise, parse and check a file. ``now``: the present instant, UTC. ``terms``: what the store says of its labels.

    Raises only requests to stop, such as Ctrl-C.
    """
    recognised: tuple[Source, FileFormat] | None = None
    try:
        check_bounds(document)
        recognised = source, file_format = registry.recognise(document)
        named = file_format.named(document)
        parts = hold_to_name(document.name, named, file_format.parsed(document, terms))
        results = check_parts(parts, lambda dataset: suites.of(source.name, dataset.name), now=now)
        validations = tuple(result.validation for result in results)
        refusal = brief(next((result.refusal for result in results if result.refusal), ""))
        if refusal:
            # The other datasets of the file passed, but their rows are refused with it.
            validations = with_reason(validations, refusal)
            return Prepared(None, refusal, source.name, _names(part.dataset for part in parts), validations)
        sound = [passed(part, result) for part, result in zip(parts, results, strict=True)]
        times = [known_time(part, policy, now, named, terms) for part in sound]
        issues = [issue_time(part, named) for part in sound]
        load = _to_load(source, file_format, document, digest, sound, results, times, issues, terms)
        if policy.choice is KnownAtChoice.NOW:
            load = replace(load, record=replace(load.record, is_published_again=True))
        notices = tuple(dict.fromkeys(notice for part in parts for notice in part.notices))
        return Prepared(load, "", load.record.source, load.record.dataset, load.validations, notices)
    except AurumError as error:
        failure = "" if isinstance(error, RefusedFile) else traceback.format_exc()
        return _refused(brief(error.detail), recognised, suites, failure)
    except BaseException as error:
        if not is_surprise(error):
            raise
        return _refused(surprise(error), recognised, suites, traceback.format_exc())


def is_surprise(error: BaseException) -> bool:
    """Return whether an error is a failure of code (also a panic of native code) and not a request to stop, such as Ctrl-C."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def surprise(error: BaseException, step: str = "reading it") -> str:
    """Return the reason of a refusal because of an error that no code expected. ``step``: what failed."""
    if isinstance(error, MemoryError):
        return f"{step} needs more memory than it may use"
    text = " ".join(str(error).split())
    if not isinstance(error, Exception):
        return brief(f"{step} failed in native code, as it does for damaged files ({text}); the log has the details")
    message = f": {text}" if text else ""
    return brief(f"{step} failed unexpectedly with {type(error).__name__}{message}; the log has the details")


def _refused(reason: str, recognised: tuple[Source, FileFormat] | None, suites: Suites, failure: str) -> Prepared:
    if recognised is None:
        return Prepared(refusal=reason, failure=failure)
    source, file_format = recognised
    unread = ValidationResult(
        suite=",".join(suites.of(source.name, dataset.name).name for dataset in file_format.datasets),
        source=source.name,
        dataset=_names(file_format.datasets),
        reason=storable(reason),
    )
    return Prepared(None, reason, source.name, unread.dataset or "", (unread,), failure=failure)


def with_reason(validations: Iterable[ValidationResult], reason: str) -> tuple[ValidationResult, ...]:
    """Return the validations of a file that is refused whole, with the reason where they have none of their own."""
    return tuple(replace(validation, reason=storable(validation.reason or reason)) for validation in validations)


def _to_load(
    source: Source,
    file_format: FileFormat,
    document: SourceFile,
    digest: str,
    parts: Sequence[Content],
    results: Sequence[Checked],
    times: Sequence[KnownTime],
    issues: Sequence[datetime | None],
    terms: ReadingTerms,
) -> FileLoad:
    # All rows without a known time of their own share one, so a part with another one than the first gets it row by row.
    shared = times[0] if times else KnownTime(KnownAtBasis.INGESTED)
    series: dict[str, list[SeriesRows]] = {}
    quotes: dict[str, list[KnownQuotes]] = {}
    for part, known, issue_at in zip(parts, times, issues, strict=True):
        own_time = None if known.time == shared.time else known.time
        if isinstance(part, ParsedQuotes):
            quotes.setdefault(part.dataset.name, []).append(KnownQuotes(part.rows, known, own_time))
            continue
        frame = _series_frame(source, part.dataset, part.series, terms)
        rows = _numbered_rows(part.rows, frame, known, own_time)
        one = SeriesRows(frame.drop("index"), rows, known.rule, is_forecast=part.dataset.is_forecast, issue_at=issue_at)
        series.setdefault(part.dataset.name, []).append(one)
    stored: list[Part] = [_together(of_dataset) for of_dataset in series.values()]
    stored += [curve_quotes(source.name, name, of_dataset) for name, of_dataset in quotes.items()]
    record = FileRecord(
        name=storable(document.name),
        digest=digest,
        size=len(document.content),
        source=source.name,
        dataset=_names(part.dataset for part in parts),
        known_at=shared.time,
        known_at_basis=shared.basis,
        rows_read=sum(part.rows_read for part in parts),
        format=file_format.name,
        parser_version=file_format.version,
        release=release(),
        archive=storable(document.archive),
    )
    return FileLoad(
        record=record,
        parts=tuple(stored),
        quarantine=pl.concat([result.quarantine for result in results]) if results else pl.DataFrame(schema=REFUSED),
        validations=tuple(result.validation for result in results),
    )


def _together(parts: Sequence[SeriesRows]) -> SeriesRows:
    """Return the parts of one dataset, such as the sheets of a workbook, as one."""
    if len(parts) == 1:
        return parts[0]
    starts = accumulate((part.series.height for part in parts), initial=0)
    rows = [
        part.rows.with_columns((pl.col("series") + start).cast(pl.UInt32)) for part, start in zip(parts, starts, strict=False)
    ]
    rule = next((part.rule for part in parts if part.rule is not None), None)
    return replace(parts[0], series=pl.concat([part.series for part in parts]), rows=pl.concat(rows), rule=rule)


def _names(datasets: Iterable[Dataset]) -> str:
    return ",".join(dict.fromkeys(dataset.name for dataset in datasets))


def _series_frame(source: Source, dataset: Dataset, described: pl.DataFrame, terms: ReadingTerms) -> pl.DataFrame:
    name = pl.lit(dataset.name)
    key = pl.concat_str(pl.lit(source.name), name, "location", "measure", separator=":")
    fuelled = with_mapped_fuels(described, source.name, terms.spellings)
    return (
        with_place_names(fuelled, source.name, terms.spellings)
        .with_columns(key.alias("key"), pl.lit(source.name).alias("source"), name.alias("dataset"))
        .select(list(SERIES))
        .with_row_index("index")
    )


def _numbered_rows(rows: pl.DataFrame, frame: pl.DataFrame, known: KnownTime, time: datetime | None) -> pl.DataFrame:
    """Return rows of schema ``FILE_ROWS``. ``time``: of rows without a known time of their own; None for that of the file."""
    own = known.own if known.own is not None else pl.Series("known_at", [None], UTC_US).new_from_index(0, rows.height)
    numbered = rows.with_columns(own.fill_null(pl.lit(time, UTC_US)).alias("known_at")).join(
        frame.select("location", "measure", pl.col("index").cast(pl.UInt32).alias("series")),
        on=["location", "measure"],
        how="left",
        maintain_order="left",
    )
    if numbered["series"].null_count():
        raise FrameMismatch("Parsed.rows has observations of a (location, measure) that Parsed.series does not describe")
    return numbered.select("series", "ts", "value", "quality", "known_at", "version")
