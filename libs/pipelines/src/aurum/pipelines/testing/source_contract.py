"""The contract of sources: what holds for every source, Aurum's own and those of plugins, as tests.

A package with a source inherits from ``SourceContract`` in a module of its tests, and pytest runs the methods of that class.
Nothing here imports pytest: a failed check is an ``AssertionError`` with a line for each fault.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from aurum.common.settings import environment_without_settings
from aurum.core.catalog import Fuel, Kind, Quality
from aurum.core.curves.quotes import FIELDS, PARSED_QUOTES
from aurum.core.frames import PARSED, REFUSED, conform
from aurum.core.frequency import Frequency
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.plugins import name_problem, problems_of
from aurum.pipelines.public_files import publications
from aurum.pipelines.quality.checks import check_parts
from aurum.pipelines.quality.quotes import QuoteGateResult
from aurum.pipelines.quality.suites import Suite, Suites
from aurum.pipelines.reading.ids import read_id
from aurum.pipelines.registry import own_registry
from aurum.pipelines.shipped import lacking, read_shipped
from aurum.pipelines.source import (
    PARSED_SERIES,
    Content,
    Dataset,
    FileFormat,
    IdRule,
    Parsed,
    RefusedFile,
    Source,
    SourceFile,
)
from aurum.pipelines.testing.parser_rules import own_readings, unreached_readers
from aurum.pipelines.testing.samples import SAMPLES

_LONG_AGO = datetime(1700, 1, 1, tzinfo=UTC)
_TITLE_AND_ADDRESS = re.compile(r".+https?://.+", re.DOTALL)
_MONEY = re.compile(r"[A-Z]{3}/")
_PRICES = (Kind.PRICE, Kind.ANCILLARY_PRICE, Kind.FUEL_PRICE, Kind.FX)
_OF_FUELS = (Kind.GENERATION, Kind.GENERATION_FORECAST, Kind.LOAD, Kind.CAPACITY, Kind.RESERVE)
_STRANGE = (b"", b"\n", b"\x00" * 64, bytes(range(256)) * 32, b"PK\x03\x04" + b"\xff" * 60, b"<a><b>", b'{"a": [1,')
_TODAY = date(2026, 1, 1)
_SECRETS = frozenset({"key", "api_key", "apikey", "token", "securitytoken", "access_token", "password"})
_DAYS = (date(2025, 3, 9), date(2025, 11, 2), date(2024, 2, 29), date(2024, 12, 31))
_THREADS = """
import importlib, os, sys
before = len(os.listdir("/proc/self/task"))
importlib.import_module("aurum.pipelines.registry")
known = len(os.listdir("/proc/self/task"))
importlib.import_module(sys.argv[1])
print(len(os.listdir("/proc/self/task")) - known)
"""


@dataclass(frozen=True)
class SampleFile:
    """A file of a source for its tests. ``datasets``: names of those it holds."""

    datasets: frozenset[str]
    file: SourceFile


@dataclass(frozen=True)
class SourceUnderTest:
    """A source with the files beside its code. ``package``: the module whose folder has its parsers.

    ``reasons``: why a dataset has no rule of publication (under ``rule``, by its name), and why no kind fits a measure (under
    ``kind``, by ``dataset:measure``).
    """

    source: Source
    package: str
    suites: Suites
    pages: Mapping[str, str]
    samples: tuple[SampleFile, ...]
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    @cached_property
    def folder(self) -> Path:
        return _folder_of(self.package)

    @property
    def sampled(self) -> frozenset[str]:
        return frozenset[str]().union(*(sample.datasets for sample in self.samples))

    def suite(self, dataset: Dataset) -> Suite:
        return self.suites.of(self.source.name, dataset.name)

    def reason(self, rule: str, name: str) -> str:
        return self.reasons.get(rule, {}).get(name, "")

    def formats_of(self, sample: SampleFile) -> list[FileFormat]:
        """Return the formats of the source that recognise a sample."""
        return [file_format for file_format in self.source.formats if file_format.recognise(sample.file)]


def plugin_under_test(source: Source, package: str, reasons: Mapping[str, Mapping[str, str]] | None = None) -> SourceUnderTest:
    """Return the source of a plugin with the files in the folder of its package. Raises ``InvalidSuite``, ``ImportError``."""
    shipped = read_shipped(_folder_of(package))
    samples = [
        SampleFile(names, SourceFile(path.name, path.read_bytes()))
        for names, paths in shipped.samples.items()
        for path in paths
    ]
    return SourceUnderTest(source, package, shipped.suites, shipped.pages, tuple(samples), reasons or {})


class SourceContract:
    """The tests of a source: set ``source``, and ``package``, the name of the package with its parsers and files.

    ``reasons``: as in ``SourceUnderTest``, for what a publisher does not have.
    """

    source: ClassVar[Source]
    package: ClassVar[str]
    reasons: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    def under_test(self) -> SourceUnderTest:
        """Return the source to test. Aurum's own tests replace this, as their files are elsewhere."""
        return plugin_under_test(self.source, self.package, self.reasons)

    def test_its_names_can_be_parts_of_series_keys(self) -> None:
        _hold(names_are_words(self.under_test()))

    def test_every_dataset_has_a_suite_a_page_and_a_sample(self) -> None:
        tested = self.under_test()
        _hold(lacking(tested.source, tested.suites, tested.pages, tested.sampled))

    def test_every_dataset_has_a_publication_rule_with_a_source_or_a_reason_for_none(self) -> None:
        _hold(publication_is_stated(self.under_test()))

    def test_every_dataset_has_an_address_or_a_reason_for_none(self) -> None:
        _hold(addresses_are_stated(self.under_test()))

    def test_the_kind_of_a_measure_fits_its_unit_and_its_fuel(self) -> None:
        _hold(kinds_fit(self.under_test()))

    def test_no_parser_reads_dates_numbers_or_json_by_itself(self) -> None:
        _hold(readers_are_shared(self.under_test()))

    def test_a_sample_is_recognised_by_one_format_of_this_source_and_by_no_other_source(self) -> None:
        _hold(samples_are_recognised(self.under_test()))

    def test_no_sample_of_another_source_is_recognised(self) -> None:
        _hold(others_are_not_recognised(self.under_test()))

    def test_a_sample_gives_the_series_that_its_datasets_declare(self) -> None:
        _hold(samples_are_parsed(self.under_test()))

    def test_a_sample_passes_its_suite_and_what_is_held_back_leaves_no_series(self) -> None:
        _hold(samples_pass_the_gate(self.under_test()))

    def test_a_damaged_sample_is_refused_or_gives_no_other_number(self) -> None:
        _hold(damage_is_not_silent(self.under_test()))

    def test_importing_it_starts_no_thread(self) -> None:
        _hold(import_starts_no_thread(self.under_test()))


def _hold(problems: Iterable[str]) -> None:
    lines = list(dict.fromkeys(problems))
    assert not lines, "\n" + "\n".join(lines)


def names_are_words(tested: SourceUnderTest) -> Iterator[str]:
    """Yield what is wrong with the names of a source, its datasets and measures, and with its own description."""
    source = tested.source
    others = [other.name for other in own_registry().sources if other != source]
    if (problem := name_problem(source.name, others)) is not None:
        yield problem
    yield from problems_of(source)
    # A broker or a desk whose files are not public may have no page of its own.
    is_public = any(source.public_files(dataset.name) is not None for dataset in source.datasets)
    for attribute in ("title", "terms", *(("homepage",) if is_public else ())):
        if not getattr(source, attribute).strip():
            yield f"the source has no {attribute}"
    for dataset in source.datasets:
        if not dataset.title.strip():
            yield f"dataset {dataset.name} has no title"
        if bool(dataset.measures) == (dataset.quotes is not None):
            yield f"dataset {dataset.name} declares no measure, or measures and quotes"


def publication_is_stated(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the datasets without a rule of their usual publication and without a reason, and rules without a source."""
    for dataset in tested.source.datasets:
        measures = {measure.name for measure in dataset.measures}
        reason = tested.reason("rule", dataset.name)
        if not dataset.rules and not reason:
            yield f"dataset {dataset.name} has no rule of publication: add one, or a reason"
        if dataset.rules and reason:
            yield f"dataset {dataset.name} has a rule of publication and a reason for none"
        for rule in dataset.rules:
            if not rule.source.strip():
                yield f"a rule of publication of {dataset.name} names no document or stamp it is from"
            if unknown := set(rule.measures) - measures:
                yield f"a rule of publication of {dataset.name} names measures it does not have: {', '.join(sorted(unknown))}"


def addresses_are_stated(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the datasets without public files and without a reason, and addresses that are not plain ones of the Web."""
    source = tested.source
    for dataset in source.datasets:
        files, reason = source.public_files(dataset.name), source.without_files.get(dataset.name, "")
        if files is None and not reason:
            yield f"dataset {dataset.name} has no address: add a function to urls, or a reason to without_files"
        if files is not None and not _TITLE_AND_ADDRESS.fullmatch(files.manual):
            yield f"dataset {dataset.name} does not cite the document of its addresses: write its title and address to manual"
        if files is not None and reason:
            yield f"dataset {dataset.name} has an address and a reason for none"
        for publication in publications(files, _DAYS, today=_TODAY) if files is not None else ():
            for request in publication.requests:
                yield from (f"dataset {dataset.name}: {problem}" for problem in _problems_of_address(request.url))
    names = {dataset.name for dataset in source.datasets}
    for name in sorted({*source.urls, *source.archives, *source.files, *source.without_files} - names):
        yield f"an address, or a reason for none, is declared for {name}, which is not a dataset"


def _problems_of_address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield f"{url!r} is not an address of the Web"
    if parts.username or parts.password or _SECRETS & {name.lower() for name, _ in parse_qsl(parts.query)}:
        yield f"the address at {parts.hostname} holds a secret: declare it as a Credential"


def kinds_fit(tested: SourceUnderTest) -> Iterator[str]:
    """Yield measures whose kind does not fit their unit, or whose word for a fuel has no meaning."""
    for dataset in tested.source.datasets:
        for measure in dataset.measures:
            name = f"{dataset.name}:{measure.name}"
            dimensions = dataset.dimensions(measure.name)
            if (dimensions.kind is Kind.OTHER) != bool(tested.reason("kind", name)):
                yield f"{name} has the kind {dimensions.kind}: a measure has a kind, or a reason why none fits, not both"
            if (_MONEY.match(measure.unit) is not None) != (dimensions.kind in _PRICES):
                yield f"{name} has the unit {measure.unit} and the kind {dimensions.kind}: prices alone are in money"
            if measure.fuel and dimensions.fuel is Fuel.UNMAPPED:
                yield f"{name}: the word {measure.fuel!r} for a fuel has no meaning: add it to the fuels of the dataset"
            if dimensions.fuel is not None and dimensions.kind not in _OF_FUELS:
                yield f"{name} has the fuel {dimensions.fuel}, which its kind {dimensions.kind} does not have"


def readers_are_shared(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the calls with which parsers read by themselves, and formats that never reach the shared readers."""
    yield from own_readings(tested.folder)
    for file_format in tested.source.formats:
        if file_format.datasets and (missing := unreached_readers(file_format)):
            yield f"the parser of {file_format.name} does not read through {' and '.join(missing)}"


def samples_are_recognised(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the samples that no format of the source, several of them, or one of another source recognises."""
    for sample in tested.samples:
        own = [file_format.name for file_format in tested.formats_of(sample)]
        others = [
            file_format.name
            for other in own_registry().sources
            if other.name != tested.source.name
            for file_format in other.formats
            if file_format.recognise(sample.file)
        ]
        if len(own) != 1:
            yield f"{sample.file.name} is recognised by {len(own)} formats of {tested.source.name}, not one: {', '.join(own)}"
        if others:
            yield f"{sample.file.name} is recognised by formats of Aurum: {', '.join(others)}"


def others_are_not_recognised(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the samples of other sources that a format recognises, and files at which a recogniser fails."""
    strange = [SourceFile(name, content) for content in _STRANGE for name in ("x", "data.csv", "book.xlsx", "feed.xml")]
    others = [(file, f"a file of {', '.join(sorted(names))}") for names, file in ours() if tested.source.name not in names]
    others += [(file, f"which begins with {file.content[:16]!r}") for file in strange]
    for file_format in tested.source.formats:
        for file, about in others:
            try:
                is_recognised = file_format.recognise(file)
                file_format.explain(file)
            except Exception as error:  # noqa: BLE001 - whatever it raises is the fault that is reported
                yield f"{file_format.name} fails to look at {file.name}, {about}: {type(error).__name__}: {error}"
                continue
            if is_recognised:
                yield f"{file_format.name} recognises {file.name}, {about}"


def samples_are_parsed(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the samples whose content is not what their datasets declare."""
    for sample in tested.samples:
        name = sample.file.name
        for parts in _parsed(tested, sample):
            if frozenset(part.dataset.name for part in parts) != sample.datasets:
                returned = ", ".join(sorted(part.dataset.name for part in parts))
                yield f"{name} is a sample of {', '.join(sorted(sample.datasets))}; its parser returns {returned or 'nothing'}"
            for part in parts:
                yield from (f"{name}: {problem}" for problem in problems_of_parsed(part, tested.source))
                if part.rows.is_empty():
                    yield f"{name} has no row of {part.dataset.name}"
                yield from (f"{name}{problem}" for problem in _first_held(part.refused))
                yield from (f"{name}: {problem}" for problem in _undeclared(part))


def problems_of_parsed(parsed: Content, source: Source) -> Iterator[str]:
    """Yield what is wrong with the content that a parser returns, whatever the file: its frames and their agreement."""
    if isinstance(parsed, ParsedQuotes):
        yield from _problems_of_quotes(parsed, source)
        return
    conform(parsed.rows, PARSED)
    conform(parsed.series, PARSED_SERIES)
    conform(parsed.refused, REFUSED)
    if parsed.dataset not in source.datasets:
        yield f"its dataset {parsed.dataset.name} is none of {source.name}"
    current = parsed.rows.filter(pl.col("quality") != int(Quality.WITHDRAWN))
    if not current["value"].is_finite().all():
        yield "a value is missing, infinite or no number, and not withdrawn"
    pairs = parsed.rows.select("location", "measure").unique().sort("location", "measure")
    if not parsed.series.select("location", "measure").sort("location", "measure").equals(pairs):
        yield "its series are not those of its rows, each once"
    if parsed.series["unit"].null_count():
        yield f"a series has no unit: {', '.join(parsed.series.filter(parsed.series['unit'].is_null())['measure'].unique())}"


def _problems_of_quotes(parsed: ParsedQuotes, source: Source) -> Iterator[str]:
    conform(parsed.rows, PARSED_QUOTES)
    conform(parsed.refused, REFUSED)
    if parsed.dataset not in source.datasets or parsed.dataset.quotes is None:
        yield f"its dataset {parsed.dataset.name} is none of the quotes of {source.name}"
    identity = parsed.rows.select("curve", "trade_date", "delivery_start", "delivery_end")
    if sum(identity.null_count().row(0)):
        yield "a quote has no product, trade date or delivery period"


def samples_pass_the_gate(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the samples that their suite, their name or the declared bounds of time hold back."""
    for sample in tested.samples:
        name = sample.file.name
        for parts in _parsed(tested, sample):
            for checked in check_parts(parts, tested.suite):
                if checked.refusal:
                    yield f"{name} is refused: {checked.refusal}"
                yield from (f"{name}{problem}" for problem in _first_held(checked.quarantine))
            for late in check_parts(parts, lambda _: Suite("none"), now=_LONG_AGO):
                if not late.rows.is_empty() or not (isinstance(late, QuoteGateResult) or late.series.is_empty()):
                    yield f"{name}: rows that are held back leave series"


def damage_is_not_silent(tested: SourceUnderTest) -> Iterator[str]:
    """Yield the damages after which a sample is read, and gives a number that the whole sample does not have."""
    for sample in tested.samples:
        for file_format in tested.formats_of(sample):
            reference = _stored(tested, file_format, sample.file)
            declared = {measure.name for dataset in file_format.datasets for measure in dataset.measures}
            for damage, content in _damaged(sample.file.content, file_format.columns):
                where, document = f"{sample.file.name}, {damage}", SourceFile(sample.file.name, content)
                try:
                    if content and not file_format.recognise(document):
                        continue
                    stored = _stored(tested, file_format, document)
                except RefusedFile:
                    continue
                except Exception as error:  # noqa: BLE001 - whatever it raises is the fault that is reported
                    yield f"{where}: its parser fails with {type(error).__name__}, and does not refuse the file: {error}"
                    continue
                if not content:
                    yield f"{where}: its parser accepts it"
                # A word that is not known is a measure of its own where a dataset has fuels.
                wrong = [
                    point
                    for point, value in stored.items()
                    if (point[1] in declared or point[1] in FIELDS) and reference.get(point) != value
                ]
                if wrong:
                    yield f"{where}: {len(wrong)} numbers are not in the whole file, one of {wrong[0]}"


def import_starts_no_thread(tested: SourceUnderTest) -> Iterator[str]:
    """Yield a line if importing the source starts a thread, which the process that forks readers of files must not have.

    It takes a process of its own.
    """
    command = [sys.executable, "-c", _THREADS, tested.package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())  # noqa: S603 - this interpreter
    if done.returncode != 0:
        yield f"{tested.package} cannot be imported by itself: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    elif int(done.stdout) > 0:
        yield f"importing {tested.package} starts {done.stdout.strip()} threads: run no operation of Polars outside a function"


def parser_of(source: Source) -> Callable[[str, bytes | str], tuple[Parsed, ...]]:
    """Return a function that parses a file with the one format that recognises it, and checks what holds for every parser.

    The file holds observations alone.
    """
    parse = _parser_of(source)
    return lambda name, content: tuple(part for part in parse(name, content) if isinstance(part, Parsed))


def quotes_parser_of(source: Source) -> Callable[[str, bytes | str], tuple[ParsedQuotes, ...]]:
    """Return a function as ``parser_of`` does, for files of quotes alone."""
    parse = _parser_of(source)
    return lambda name, content: tuple(part for part in parse(name, content) if isinstance(part, ParsedQuotes))


def _parser_of(source: Source) -> Callable[[str, bytes | str], tuple[Content, ...]]:
    def parse(name: str, content: bytes | str) -> tuple[Content, ...]:
        document = SourceFile(name, content.encode() if isinstance(content, str) else content)
        (file_format,) = (candidate for candidate in source.formats if candidate.recognise(document))
        parts = file_format.parse(document)
        _hold(problem for part in parts for problem in problems_of_parsed(part, source))
        return parts

    return parse


@cache
def ours() -> tuple[tuple[frozenset[str], SourceFile], ...]:
    """Return the samples of Aurum's own sources, with the names of their sources."""
    return tuple(
        (frozenset(dataset.partition(":")[0] for dataset in sample.datasets), SourceFile(sample.name, sample.content))
        for sample in SAMPLES
    )


def _parsed(tested: SourceUnderTest, sample: SampleFile) -> Iterator[tuple[Content, ...]]:
    """Yield the content of a sample by each format that recognises it, which is one in a sound source."""
    for file_format in tested.formats_of(sample):
        yield hold_to_name(sample.file.name, file_format.named(sample.file), file_format.parse(sample.file))


def _first_held(held: pl.DataFrame) -> Iterator[str]:
    """Yield a clause about the first of the rows that are held back, if there is one. ``held``: schema ``REFUSED``."""
    if not held.is_empty():
        first = held.row(0, named=True)
        yield f", line {first['line']}, is held back: {first['column']}: {first['reason']} {first['detail']}".rstrip()


def _undeclared(part: Content) -> Iterator[str]:
    if isinstance(part, ParsedQuotes):
        return
    dataset = part.dataset
    declared = {measure.name for measure in dataset.measures}
    for measure in sorted(set(part.series["measure"].unique()) - declared):
        yield f"measure {measure} is not declared by {dataset.name}"
    for location in part.series["location"].unique().drop_nulls().sort():
        is_code = dataset.ids is IdRule.TEXT or any(character.isdigit() for character in location)
        if is_code and read_id(location, dataset.ids) != location:
            yield f"location {location!r} is not as pipelines.reading.ids reads it by the rule {dataset.ids}"
    frequencies = set(part.series["frequency"].unique().drop_nulls())
    for text in sorted(frequencies - {str(frequency) for frequency in Frequency}):
        yield f"frequency {text!r} is none of core.frequency"


Point = tuple[str, str, str, object, object]
"""Dataset, measure, location, instant and version of a number; of a quote dataset, field, product, trade date and delivery."""


def _stored(tested: SourceUnderTest, file_format: FileFormat, document: SourceFile) -> Mapping[Point, float]:
    """Return the numbers of a file that pass its checks. Raises ``RefusedFile``."""
    parts = hold_to_name(document.name, file_format.named(document), file_format.parse(document))
    stored: dict[Point, float] = {}
    for part, checked in zip(parts, check_parts(parts, tested.suite), strict=True):
        if checked.refusal:
            raise RefusedFile(checked.refusal)
        if isinstance(checked, QuoteGateResult):
            stored |= numbers_of_quotes(part.dataset.name, checked.rows)
            continue
        columns = checked.rows.select("measure", "location", "ts", "version", "value")
        for *point, value in columns.iter_rows():  # rows: those of a sample
            measure, location, ts, version = point
            stored[part.dataset.name, measure, location, ts, version] = value
    return stored


def numbers_of_quotes(dataset: str, rows: pl.DataFrame) -> Mapping[Point, float]:
    """Return the numbers of quotes, schema ``PARSED_QUOTES``."""
    long = rows.unpivot(
        on=list(FIELDS),
        index=["curve", "trade_date", "delivery_start", "delivery_end"],
        variable_name="field",
        value_name="value",
    ).drop_nulls("value")
    return {
        (dataset, field, curve, day, (start, end)): value
        for curve, day, start, end, field, value in long.iter_rows()  # rows: those of a sample
    }


def _damaged(content: bytes, columns: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield damages of a file with its content after them: no bytes, a cut within a line, a renamed word of the layout."""
    yield "zero bytes", b""
    yield "cut in the middle", _cut(content)
    for column in columns:
        word = column.encode()
        if word in content:
            yield f"{column} renamed", content.replace(word, b"Renamed", 1)


def _cut(content: bytes) -> bytes:
    """Return the first half of a file, up to the first third of a line, so that no number is cut that ends a whole row."""
    lines = content.split(b"\n")
    half = lines[: len(lines) // 2]
    if len(half) < 2:
        return content[: len(content) // 2]
    rest = lines[len(half)]
    return b"\n".join([*half, rest[: max(1, len(rest) // 3)]])


def _folder_of(package: str) -> Path:
    file = importlib.import_module(package).__file__
    if file is None:
        raise ImportError(f"{package} is not a package with an __init__.py", name=package)
    return Path(file).parent


def _environment() -> dict[str, str]:
    return environment_without_settings({"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})
