"""Suites of quotes: Aurum's evaluation and that of Great Expectations agree, and real bounds are wide enough."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.pipelines.quality.great_expectations import validate
from aurum.pipelines.quality.suites import read_suites, suite_path
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import Dataset

FOLDER = contracts_directory(None) / "expectations"
QUOTED = [dataset for source in own_registry().sources for dataset in source.datasets if dataset.quotes is not None]
KEYS = {"eex": "power:XX:base:EEX", "nymex": "oil:XX:base:NYMEX", "ice": "oil:XX:base:ICE"}


def rows(curve: str) -> pl.DataFrame:
    """Return quotes of which some break the bounds, cross bid and ask, or have another key."""
    sound = {
        "curve": curve,
        "delivery_start": date(2031, 6, 1),
        "delivery_end": date(2031, 7, 1),
        "trade_date": date(2031, 5, 5),
        "settle": 10.0,
    }
    changes: list[dict[str, object]] = [
        {},
        {"settle": None},
        {"settle": 99_999.0},
        {"settle": -99_999.0, "high": -88_888.0},
        {"bid": 11.0, "ask": 10.0},
        {"bid": 10.0, "ask": 10.0},
        {"low": 12.0, "high": 11.0},
        {"curve": "another:XX:base:INVENTED"},
        {"delivery_end": date(2031, 6, 1)},
    ]
    return pl.DataFrame([{**sound, "line": line, **each} for line, each in enumerate(changes, start=2)], schema=PARSED_QUOTES)


@pytest.mark.filterwarnings("ignore")  # of Great Expectations and what it stands on
@pytest.mark.needs_great_expectations
@pytest.mark.parametrize("source", KEYS)
def test_the_gate_and_great_expectations_count_the_same_breaches_of_quotes(source: str) -> None:
    dataset = next(dataset for dataset in QUOTED if dataset.source == source)
    suite, quotes = read_suites(FOLDER).of(source, dataset.name), rows(KEYS[source])
    ours = [int(quotes.select(one.breach.sum()).item()) for one in suite.rows]
    theirs = [one.unexpected for one in validate(quotes, suite_path(FOLDER, source, dataset.name))]
    assert ours == theirs
    assert len([count for count in ours if count]) >= 6


@pytest.mark.parametrize("dataset", QUOTED, ids=lambda dataset: f"{dataset.source}:{dataset.name}")
def test_the_suite_of_quotes_names_their_columns_alone(dataset: Dataset) -> None:
    suite = read_suites(FOLDER).of(dataset.source, dataset.name)
    assert {column for one in suite.expectations for column in one.expectation.columns} <= set(PARSED_QUOTES)
