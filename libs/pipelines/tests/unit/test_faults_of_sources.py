"""Each check of the contract of sources finds the fault that it is about, in a source that has no other."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aurum.core.catalog import Kind
from aurum.core.catalog.fuels import fuel_words
from aurum.core.publication import PublicationRule
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.source import Measure, Parsed, RefusedFile, SourceFile
from aurum.pipelines.testing import source_contract as contract
from aurum.pipelines.testing.plugin_site import install_source
from aurum.pipelines.testing.source_contract import SampleFile, SourceContract, SourceUnderTest, plugin_under_test

Change = Callable[[SourceUnderTest], SourceUnderTest]
Check = Callable[[SourceUnderTest], Iterator[str]]
PACKAGE = "aurum_source_acme"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceUnderTest]:
    site = tmp_path_factory.mktemp("site")
    install_source("acme", site)
    sys.path.insert(0, str(site))
    try:
        yield plugin_under_test(importlib.import_module(PACKAGE).SOURCE, PACKAGE)
    finally:
        sys.path.remove(str(site))
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]


def of_dataset(**fields: Any) -> Change:
    """Return a change of fields of the dataset, and of what its parser returns."""

    def change(tested: SourceUnderTest) -> SourceUnderTest:
        (file_format,) = tested.source.formats
        dataset = replace(file_format.datasets[0], **fields)

        def parse(document: SourceFile) -> tuple[Parsed, ...]:
            return tuple(replace(part, dataset=dataset) for part in file_format.parse(document))

        return with_format(tested, datasets=(dataset,), parse=parse)

    return change


def with_format(tested: SourceUnderTest, **fields: Any) -> SourceUnderTest:
    (file_format,) = tested.source.formats
    return replace(tested, source=replace(tested.source, formats=(replace(file_format, **fields),)))


def of_format(**fields: Any) -> Change:
    return lambda tested: with_format(tested, **fields)


def of_source(**fields: Any) -> Change:
    return lambda tested: replace(tested, source=replace(tested.source, **fields))


def of_parts(parts: Callable[[Parsed], Parsed]) -> Change:
    """Return a change of what the parser returns."""

    def change(tested: SourceUnderTest) -> SourceUnderTest:
        (file_format,) = tested.source.formats
        return with_format(tested, parse=lambda document: tuple(parts(part) for part in file_format.parse(document)))

    return change


def reading(changed: Callable[[SourceFile], SourceFile]) -> Change:
    """Return a change of the file before it is parsed."""

    def change(tested: SourceUnderTest) -> SourceUnderTest:
        (file_format,) = tested.source.formats
        return with_format(tested, parse=lambda document: file_format.parse(changed(document)))

    return change


def mended(document: SourceFile) -> SourceFile:
    """Return a file whose last line, if it is cut off, is completed with an invented number."""
    whole, _, rest = document.content.rpartition(b"\n")
    return SourceFile(document.name, whole + b"\n2025-07-04T23:00:00Z,NORTH,1\n") if rest else document


def failing(document: SourceFile) -> tuple[Parsed, ...]:
    return {}[document.name]


def fails_when_damaged(tested: SourceUnderTest) -> SourceUnderTest:
    (file_format,) = tested.source.formats

    def parse(document: SourceFile) -> tuple[Parsed, ...]:
        try:
            return file_format.parse(document)
        except RefusedFile as error:
            raise ValueError("not a table") from error

    return with_format(tested, parse=parse)


def other_sample(content: bytes) -> Change:
    return lambda tested: replace(
        tested, samples=(SampleFile(frozenset({"hourly_load"}), SourceFile("acme_hourly_load_20250704.csv", content)),)
    )


def without_rule_source(tested: SourceUnderTest) -> SourceUnderTest:
    (rule,) = tested.source.datasets[0].rules
    return of_dataset(rules=(PublicationRule(rule.moment, " "),))(tested)


def measured(name: str = "load", unit: str = "MW", fuel: str = "") -> Mapping[str, Any]:
    return {"measures": (Measure(name, unit, fuel=fuel),)}


def nyiso_load(document: SourceFile) -> bool:
    return document.head.startswith(("interval_start", '"Time Stamp"', "Time Stamp"))


CASES: list[tuple[Check, Change, str]] = [
    (contract.names_are_words, of_source(terms=""), "the source has no terms"),
    (contract.names_are_words, of_source(name="nyiso"), "'nyiso' is in use"),
    (contract.names_are_words, of_dataset(measures=()), "hourly_load declares no measure"),
    (contract.names_are_words, of_dataset(source="other"), "declared for the source 'other', not for 'acme'"),
    (contract.publication_is_stated, of_dataset(rules=()), "hourly_load has no rule of publication"),
    (contract.publication_is_stated, without_rule_source, "names no document or stamp"),
    (contract.addresses_are_stated, of_source(urls={}), "hourly_load has no address"),
    (contract.addresses_are_stated, of_source(manual="https://a.example"), "does not cite the document of its addresses"),
    (contract.addresses_are_stated, of_source(without_files={"hourly_load": "x"}), "an address and a reason for none"),
    (contract.addresses_are_stated, of_source(urls={"hourly_load": lambda day: f"file:///{day}"}), "not an address of the Web"),
    (
        contract.addresses_are_stated,
        of_source(urls={"hourly_load": lambda _: "https://a.example/?key=1"}),
        "holds a secret",
    ),
    (contract.addresses_are_stated, of_source(without_files={"other": "x"}), "declared for other, which is not a dataset"),
    (contract.kinds_fit, of_dataset(kind=Kind.OTHER), "has the kind other"),
    (contract.kinds_fit, of_dataset(**measured(unit="EUR/MWh")), "has the unit EUR/MWh and the kind load"),
    (
        contract.kinds_fit,
        of_dataset(**measured(fuel="Kohle"), fuels=fuel_words({"Gas": "gas"})),
        "'Kohle' .* has no meaning",
    ),
    (contract.samples_are_recognised, of_format(recognise=lambda _: False), "recognised by 0 formats of acme, not one"),
    (contract.others_are_not_recognised, of_format(recognise=nyiso_load), "recognises .*, a file of nyiso"),
    (contract.others_are_not_recognised, of_format(recognise=failing), "fails to look at .*KeyError"),
    (contract.samples_are_parsed, other_sample(b"interval_start,region,load_mw\n"), "has no row of hourly_load"),
    (
        contract.samples_are_parsed,
        other_sample(b"interval_start,region,load_mw\n2025-07-04T25:00:00Z,A,1\n2025-07-04T00:00:00Z,A,1\n"),
        "line 2, is held back: interval_start: invalid_time",
    ),
    (contract.samples_are_parsed, of_dataset(**measured("demand")), "measure load is not declared by hourly_load"),
    (contract.samples_are_parsed, of_format(parse=lambda _: ()), "its parser returns nothing"),
    (
        contract.samples_are_parsed,
        of_parts(lambda part: replace(part, series=part.series[:1])),
        "are not those of its rows",
    ),
    (
        contract.samples_are_parsed,
        of_parts(lambda part: replace(part, rows=part.rows.with_columns(value=pl.lit(float("inf"))))),
        "missing, infinite or no number",
    ),
    (contract.samples_are_parsed, of_parts(lambda part: replace(part, rows=part.rows.drop("line"))), "line"),
    (
        contract.samples_pass_the_gate,
        other_sample(b"interval_start,region,load_mw\n2025-07-04T00:00:00Z,A,-1\n"),
        "line 2, is held back: load_mw: out_of_bounds",
    ),
    (contract.damage_is_not_silent, fails_when_damaged, "its parser fails with ValueError"),
    (
        contract.damage_is_not_silent,
        reading(mended),
        "numbers are not in the whole file",
    ),
]


@pytest.mark.parametrize(("check", "change", "fault"), CASES, ids=[f"{case[0].__name__}-{n}" for n, case in enumerate(CASES)])
def test_a_fault_is_found(sound: SourceUnderTest, check: Check, change: Change, fault: str) -> None:
    assert list(check(sound)) == []
    try:
        lines = list(check(change(sound)))
    except Exception as error:  # noqa: BLE001 - a frame of another schema is raised
        lines = [str(error)]
    assert any(re.search(fault, line) for line in lines), lines


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("VALUE = float('1')\n", r"extra\.py, line 1: float reads by itself: use aurum\.pipelines\.reading\.numbers"),
        ("import json\nVALUE = json.loads('1')\n", "loads reads by itself: use aurum.pipelines.reading.json_text"),
        ("import polars as pl\ndef f():\n    return pl.col('x').cast(pl.Float64)\n", "cast reads by itself"),
    ],
)
def test_a_parser_that_reads_by_itself_is_found(sound: SourceUnderTest, code: str, fault: str, tmp_path: Path) -> None:
    assert list(contract.readers_are_shared(sound)) == []
    extra = sound.folder / f"extra_{tmp_path.name}.py"
    extra.write_text(code)
    try:
        lines = list(contract.readers_are_shared(sound))
    finally:
        extra.unlink()
    assert re.search(fault.replace(r"extra\.py", re.escape(extra.name)), lines[0])


def test_a_parser_that_never_reaches_the_readers_is_found(sound: SourceUnderTest) -> None:
    module = sound.folder.parent / "acme_by_itself.py"
    module.write_text("def parse(document):\n    return ()\n")
    parse = importlib.import_module("acme_by_itself").parse
    (line,) = contract.readers_are_shared(with_format(sound, parse=parse))
    assert "does not read through aurum.pipelines.reading.dates and aurum.pipelines.reading.numbers" in line


@pytest.mark.needs_process
def test_an_import_that_starts_a_thread_is_found(sound: SourceUnderTest, tmp_path: Path) -> None:
    module = sound.folder.parent / "acme_threads.py"
    module.write_text("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n")
    (line,) = contract.import_starts_no_thread(replace(sound, package="acme_threads"))
    assert "importing acme_threads starts 1 threads" in line


def test_a_missing_suite_page_and_sample_are_found_together(sound: SourceUnderTest) -> None:
    class Bare(SourceContract):
        def under_test(self) -> SourceUnderTest:
            return replace(sound, suites=Suites({}), pages={}, samples=())

    with pytest.raises(AssertionError, match=r"(?s)no suite.*no page.*no sample"):
        Bare().test_every_dataset_has_a_suite_a_page_and_a_sample()
