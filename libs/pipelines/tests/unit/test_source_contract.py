"""Aurum's own sources hold to the contract that sources of plugins hold to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from aurum.common.contracts import contracts_directory
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import own_registry
from aurum.pipelines.shipped import EXPECTATIONS, PAGES, read_pages
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.samples import SAMPLES
from aurum.pipelines.testing.source_contract import SampleFile, SourceContract, SourceUnderTest

SOURCES = [source.name for source in own_registry().sources]
CONTRACTS = contracts_directory(None)
SUITES = read_suites(CONTRACTS / EXPECTATIONS)

REASONS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "pjm": {"rule": {"pjme_hourly": "a re-publication of years of history, which says nothing of its first publication"}},
    "eia": {"kind": {f"wholesale_hubs:{name}": "it counts trades" for name in ("volume", "trades", "counterparties")}},
    "simple": {"rule": {"quotes": "a desk writes the file when it likes, and its quotes may be of years"}},
    "ieso": {"kind": {"gen_output_by_fuel_hourly:generation_control_actions": "actions of the operator, not of plants"}},
}


@cache
def own_source(name: str) -> SourceUnderTest:
    source = own_registry().source(name)
    pages = {name: text for name, text in read_pages(CONTRACTS / PAGES).items() if name.startswith(source.name)}
    samples = tuple(
        SampleFile(frozenset(dataset.partition(":")[2] for dataset in sample.datasets), SourceFile(sample.name, sample.content))
        for sample in SAMPLES
        if sample.datasets[0].startswith(f"{source.name}:")
    )
    reasons = REASONS.get(source.name, {})
    return SourceUnderTest(source, f"aurum.pipelines.sources.{source.name}", SUITES, pages, samples, reasons)


class TestOwnSources(SourceContract):
    @pytest.fixture(autouse=True, params=SOURCES)
    def choose(self, request: pytest.FixtureRequest) -> None:
        self.chosen: str = request.param

    # One process that imports all of them is tested: test_the_fork_server_has_no_thread_of_polars_when_it_forks.
    test_importing_it_starts_no_thread = None

    def under_test(self) -> SourceUnderTest:
        return own_source(self.chosen)


def test_no_suite_is_about_a_source_that_does_not_exist() -> None:
    assert {about.partition(":")[0] for about in SUITES.by_dataset} == set(SOURCES)
